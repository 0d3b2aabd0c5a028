//! From the catalogue to a plan, and from a plan to a run.
