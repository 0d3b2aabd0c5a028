//! The run folder: append-only event log, blobs by hash, manifest; written and read.
