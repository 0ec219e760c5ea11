"""The ledger: every window that was measured, kept in one SQLite file, and its exports."""
