"""Measurements: systems run side by side on one machine in one run, and ratios between them.

Start:   `benches/setup` once, then `.venv/bin/python -m benches.http_api`; each module says what it measures.
"""
