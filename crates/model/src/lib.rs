//! The words of the project as types: requirements, objects, events, claims.
