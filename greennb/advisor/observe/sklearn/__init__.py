"""scikit-learn, and what has its interface: which estimators were fitted and used, on what, for how long."""
