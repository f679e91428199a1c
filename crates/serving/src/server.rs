//! Accepting connections, not waiting for slow ones, and stopping without breaking off an answer.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    serve::Listener,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tower::ServiceExt;

/// How long requests that are under way may take after the server was asked to stop. Event streams have no end of their
/// own: they are broken off then, and their readers continue later with the last event's id.
const GRACE: Duration = Duration::from_secs(5);
/// How long a connection may take until the head of its first or next request is there. A client that sends a few bytes
/// now and then would otherwise hold a connection for ever; one that is only idle opens a new one.
const HEAD_MAX: Duration = Duration::from_secs(15);

/// Serves until `stop` completes, then finishes the requests that are under way.
///
/// # Errors
/// The listener has no address.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    listener.local_addr()?;
    serve_within(listener, router, stop, HEAD_MAX).await;
    Ok(())
}

async fn serve_within(mut listener: TcpListener, router: Router, stop: impl Future<Output = ()>, head_max: Duration) {
    // axum's own `serve` sets no timer, and without one hyper waits for ever.
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_max);
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            (stream, peer) = Listener::accept(&mut listener) => {
                connections.spawn(attend(http.clone(), stream, peer, router.clone(), stopped.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::info!("connections that did not end within {} s are broken off", GRACE.as_secs());
    }
}

/// Answers the requests of one connection, one after the other, until it ends; after a stop, only the one in hand.
async fn attend(
    http: http1::Builder,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stopped: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = until_true(stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection was broken off");
    }
}

/// Waits for a stop; an end of the sender is one too.
async fn until_true(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::oneshot,
        time::{Instant, sleep, timeout},
    };

    use super::*;

    const HEAD: Duration = Duration::from_millis(300);

    /// The address of a server that is slow to answer `/slow`, and what stops it.
    async fn started() -> (SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let slow = || async {
            sleep(3 * HEAD).await;
            "slow"
        };
        let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() };
        let router = Router::new().route("/slow", get(slow)).route("/peer", get(peer));
        let (stop, stopped) = oneshot::channel();
        let stopped = async { stopped.await.unwrap_or_default() };
        let serving = tokio::spawn(serve_within(listener, router, stopped, HEAD));
        (address, stop, serving)
    }

    /// Everything that comes until the server closes the connection.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut all = Vec::new();
        let read = timeout(Duration::from_secs(10), stream.read_to_end(&mut all)).await;
        read.expect("the connection stays open").ok();
        String::from_utf8(all).unwrap()
    }

    #[tokio::test]
    async fn a_client_that_does_not_finish_its_head_is_let_go() {
        let (address, _stop, _) = started().await;
        for sent in ["", "GET /peer HTTP/1.1\r\nhost: x\r\nx-a: 1"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let begun = Instant::now();
            stream.write_all(sent.as_bytes()).await.unwrap();
            let answer = rest(&mut stream).await;
            assert!(!answer.contains(" 200 "), "{answer}");
            assert!(begun.elapsed() >= HEAD && begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        }
    }

    #[tokio::test]
    async fn a_slow_answer_is_waited_for_and_the_caller_is_known() {
        let (address, _stop, _) = started().await;
        for (path, body) in [("/slow", "slow"), ("/peer", "127.0.0.1")] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
            let answer = rest(&mut stream).await;
            assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(body), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_stop_finishes_what_is_under_way_and_takes_nothing_new() {
        let (address, stop, serving) = started().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        sleep(HEAD / 3).await;
        stop.send(()).unwrap();
        assert!(rest(&mut stream).await.ends_with("slow"));
        serving.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
