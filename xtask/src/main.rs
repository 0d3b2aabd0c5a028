//! Code generation and tidy tests.
fn main() {}
