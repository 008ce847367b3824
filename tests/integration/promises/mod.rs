//! One module per promise of DESIGN 1.
