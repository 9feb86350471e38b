"""The chapters of a report: each a pure function from what the run offers to sections, claims and tables."""
