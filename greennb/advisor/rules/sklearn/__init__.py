"""Rules on scikit-learn, XGBoost and LightGBM, one a file; each module's docstring is its page."""
