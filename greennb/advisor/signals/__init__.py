"""What was seen while a cell ran: frozen facts, plain enough to be written down as JSON and read again.

No object of the user's is in here, only names, shapes, counts and seconds, so that facts outlive what they are about.
"""
