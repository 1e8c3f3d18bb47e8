"""Where worlds live: in memory now, behind a seam that a shared store can fill later."""
