//! Accepting connections, and stopping without breaking off an answer.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use axum::Router;
use tokio::{net::TcpListener, sync::watch};

/// How long requests that are under way may take after the server was asked to stop. Event streams have no end of their
/// own: they are broken off then, and their readers continue later with the last event's id.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until `stop` completes, then finishes the requests that are under way.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let (stopping, stopped) = watch::channel(false);
    let told = tokio::spawn(async move {
        stop.await;
        stopping.send_replace(true);
    });
    let server = axum::serve(listener, service).with_graceful_shutdown(until_true(stopped.clone()));
    let overdue = async {
        until_true(stopped).await;
        tokio::time::sleep(GRACE).await;
    };
    let served = tokio::select! {
        served = server => served,
        () = overdue => {
            tracing::info!("connections that did not end within {} s are broken off", GRACE.as_secs());
            Ok(())
        }
    };
    told.abort();
    served
}

/// Waits for a stop; an end of the sender is one too.
async fn until_true(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
