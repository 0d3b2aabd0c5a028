//! One folder per requirement: acts, claims, judge, adapters, faults.
