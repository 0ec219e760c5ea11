"""From joules to grams: carbon intensities of electricity (static tables, live grids), and the conversion."""
