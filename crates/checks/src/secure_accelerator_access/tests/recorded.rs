//! Recorded runs, and others made of them.
