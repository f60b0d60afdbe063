//! Black-box tests over the real programs.
