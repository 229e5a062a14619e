"""Side-by-side measurements, as ratios of one run: `make bench`."""
