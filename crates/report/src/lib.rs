//! Views of a judged run, one file per format. Pure.
