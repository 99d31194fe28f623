"""Reports of studies: one page, figures and tables."""
