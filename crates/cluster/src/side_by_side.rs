//! Many requests at once.

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream;

/// Requests under way at once: enough that the server, and not the way to it, is waited for.
const WIDTH: usize = 32;

/// Sends many requests, some of which are under way at once, in no order. All are tried.
///
/// # Errors
/// The first error.
pub async fn side_by_side<E>(requests: Vec<BoxFuture<'_, Result<(), E>>>) -> Result<(), E> {
    let mut answers = stream::iter(requests).buffer_unordered(WIDTH);
    let mut result = Ok(());
    while let Some(answer) = answers.next().await {
        result = result.and(answer);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn all_are_tried_some_at_once_and_the_first_error_is_given() {
        let (now, most, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let one = |number: usize| {
            let (now, most, done) = (&now, &most, &done);
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                done.fetch_add(1, Ordering::SeqCst);
                if number == 7 { Err(number) } else { Ok(()) }
            }
            .boxed()
        };
        assert_eq!(side_by_side((0..100).map(one).collect()).await, Err(7));
        assert_eq!((done.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (100, WIDTH));
    }
}
