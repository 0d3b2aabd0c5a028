//! Waiting for what only an answer can tell: it is asked again and again, and the last answer is remembered.

use std::time::Duration;

/// Time between two questions.
const AGAIN: Duration = Duration::from_millis(100);

/// Asks until it is so.
///
/// # Errors
/// The last answer, when it is not so within the limit.
pub async fn until<F, R>(limit: Duration, probe: F) -> Result<(), String>
where
    F: Fn() -> R,
    R: Future<Output = Result<(), String>>,
{
    let deadline = tokio::time::Instant::now() + limit;
    let mut last = String::from("nothing");
    // A question that is never answered ends at the limit too.
    let asking = async {
        while let Err(seen) = probe().await {
            last = seen;
            aiconform_wait::pause(AGAIN).await;
        }
    };
    match tokio::time::timeout_at(deadline, asking).await {
        Ok(()) => Ok(()),
        Err(_) => Err(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn it_is_asked_until_it_is_so_and_the_last_answer_is_told_where_it_never_is() {
        let asked = Cell::new(0);
        let third = || {
            asked.set(asked.get() + 1);
            let number = asked.get();
            async move { if number == 3 { Ok(()) } else { Err(format!("answer {number}")) } }
        };
        assert_eq!(until(Duration::from_secs(60), third).await, Ok(()));
        assert_eq!(asked.get(), 3);
        let never = || async { Err("not yet".to_owned()) };
        assert_eq!(until(Duration::from_millis(50), never).await, Err("not yet".into()));
        let silent = || async { std::future::pending().await };
        assert_eq!(until(Duration::from_millis(50), silent).await, Err("nothing".into()));
    }
}
