//! The run's token, without which nobody puts devices to work or takes their memory.

use aiconform_model::probe::TOKEN_DIGEST;
use sha2::{Digest, Sha256};

/// Gives what was asked for, if it was asked with the token; nobody has that of a container which was told of none.
///
/// # Errors
/// When it was not.
pub fn check<T>(token: &str, asked: T) -> Result<T, String> {
    let wanted = std::env::var(TOKEN_DIGEST).unwrap_or_default();
    if is_of(token, &wanted) { Ok(asked) } else { Err("this is not the token of the run".into()) }
}

fn is_of(token: &str, wanted: &str) -> bool {
    let digest = || Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    !wanted.is_empty() && digest() == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_of_the_run_opens_and_where_there_is_none_nothing() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(is_of("abc", digest));
        assert!(!is_of("abd", digest) && !is_of("", digest) && !is_of("", "") && !is_of("x", ""));
    }
}
