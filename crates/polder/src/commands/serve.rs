//! `polder serve`: opens the store, wires the layers to each other, and serves the city until it is asked to stop.

use std::{collections::HashSet, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use api::{AppState, Asset, DoorSettings, Rate, RateLimits, StateParts};
use control::{Room, outbox::Courier};
use jiff::tz::TimeZone;
use model::{Iri, ReadScope};
use platform::context::Contexts;
use sources::{Board, CityClock, Occasion};
use store::Store;
use subscriptions::{Notifier, Subscriptions};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use trust::{Oidc, Policy, Trust};
use views::{Basemap, Views, ViewsParts};

use crate::{
    city::CityFolder,
    cli::ServeOptions,
    clock::{city_clock, wall},
    events,
    intake::Intake,
    logging, measurements, outbound,
    outlook::{Workers, outlook},
    post::Post,
    retention::Retention,
    rules,
    settings::{self, Settings},
};

/// How long tasks may take to finish after the last answer was sent.
const STOP_S_MAX: u64 = 10;

/// Reads the settings and serves.
pub fn run(options: ServeOptions) -> Result<()> {
    let settings = settings::read(options.config.as_deref())?.with(&options)?;
    let city = CityFolder::read(&settings.server.city)?.with_passwords(|name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    runtime.block_on(serve(settings, city, options.open))
}

async fn serve(settings: Settings, city: CityFolder, open: bool) -> Result<()> {
    let traces = logging::start(&settings.telemetry, outbound::small_client(&settings.outbound)?)?;
    let listen = settings.server.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}; stop what uses it, or choose another with --listen"))?;
    let store = Store::open(&settings.server.data, &settings.store.options())?;
    store.set_floors(rules::floors(&city));
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let clock = city_clock(&city.file.city, settings.server.replay);
    let board = Board::new(&city.sources());
    let post = Post::new(
        &settings.delivery,
        &settings.outbound,
        Arc::new(|name: &str| std::env::var(name).ok()),
        Arc::new(wall),
    )?;
    let parts = (&store, &clock, &board, &post);
    let state = state(&settings, &city, open, parts).await?;
    let (views, stopping) = (state.views.clone(), stop.clone());
    tasks.spawn(async move {
        tokio::select! {
            () = views.follow() => {}
            () = stopping.cancelled() => {}
        }
    });
    warm(&state, &city);
    start_notifier(&mut tasks, &settings, &state, &stop)?;
    start_courier(&mut tasks, &settings, &city, &store, post, &stop)?;
    start_sources(&mut tasks, &settings, &city, &store, &clock, &board, &stop)?;
    let workers = Workers::start(&state.outlook)?;
    announce(&settings, &city, open);
    let signal = stop.clone();
    tokio::spawn(async move {
        asked_to_stop().await;
        tracing::info!("stopping: requests finish, sources stop");
        signal.cancel();
    });
    api::serve(listener, api::router(state), stop.clone().cancelled_owned()).await.context("serving")?;
    tokio::task::spawn_blocking(move || workers.stop()).await.context("stopping the forecasts")?;
    finish(tasks, store).await?;
    traces.finish();
    Ok(())
}

async fn state(
    settings: &Settings,
    city: &CityFolder,
    open: bool,
    (store, clock, board, post): (&Store, &CityClock, &Board, &Post),
) -> Result<AppState> {
    let basemap = match city.basemap() {
        Some(path) => Some(Basemap::open(&path).await?),
        None => None,
    };
    let views = Views::new(ViewsParts {
        store: store.clone(),
        layers: city.layers.clone(),
        sources: city.source_cards(),
        city: city.view(),
        basemap,
    });
    let fetch = Arc::new(outbound::Contexts(outbound::small_client(&settings.outbound)?));
    let contexts = Contexts::new(store.clone(), fetch);
    let subscriptions = Subscriptions::new(store.clone(), contexts.clone());
    let policy = Policy::closed().with_public(city.tenant.clone(), city.public_types());
    let trust = Trust::new(store.clone(), policy, provider(settings)?, open);
    let zone = TimeZone::get(&city.file.city.time_zone).context("the time zone in city.toml")?;
    let city_time = clock.clone();
    let room = Room::new(store.clone(), zone, Arc::new(wall), Arc::new(move || city_time.now()));
    let outlook = outlook(store, city, clock)?;
    events::import(store, city).await?;
    room.resume(&city.tenant).await.context("the runs that a stop broke off")?;
    let clock = clock.clone().into();
    Ok(AppState::new(StateParts {
        room,
        outlook,
        store: store.clone(),
        contexts,
        subscriptions,
        views,
        trust,
        clock,
        board: board.clone(),
        door: DoorSettings {
            measurements: Some(measurements::start()?),
            channels: post.channels(),
            ..door(settings, city)
        },
    }))
}

/// Computes beside the first requests what takes long, so that few visitors wait for it.
fn warm(state: &AppState, city: &CityFolder) {
    let (views, tenant, now) = (state.views.clone(), city.tenant.clone(), state.clock.now());
    let public: Arc<HashSet<Iri>> = Arc::new(city.public_types().into_iter().collect());
    tokio::task::spawn_blocking(move || {
        for scope in [ReadScope::Types(public), ReadScope::All] {
            if let Err(error) = views.warm(&tenant, &scope, now) {
                tracing::warn!(%error, "the views could not be prepared; they are made when somebody asks");
            }
        }
    });
}

fn door(settings: &Settings, city: &CityFolder) -> DoorSettings {
    let server = &settings.server;
    let per_s = f64::from(server.requests_per_s_max.max(1));
    DoorSettings {
        public_url: server.public_url.clone(),
        trusted_proxies: server.trusted_proxies.clone(),
        body_bytes_max: server.body_bytes_max,
        temporal_instances_max: server.temporal_instances_max,
        answer_time_max: Duration::from_secs(server.request_s_max.max(1)),
        rates: RateLimits { subject: Some(Rate { per_second: per_s, burst: 2.0 * per_s }), ..RateLimits::default() },
        tenant: city.tenant.clone(),
        assets: |path| crate::assets::get(path).map(|(bytes, mime, etag)| Asset { bytes, mime: mime.into(), etag }),
        ..DoorSettings::default()
    }
}

fn provider(settings: &Settings) -> Result<Option<Oidc>> {
    let Some(oidc) = &settings.trust.oidc else { return Ok(None) };
    let public = settings.server.public_url.as_ref().context(
        "sign-in with a provider needs the address that people type: set server.public_url, for example https://polder.example.nl",
    )?;
    let redirect = public.join("/api/v1/session/oidc/callback").context("server.public_url")?;
    Ok(Some(Oidc::new(oidc.clone(), &redirect, outbound::identity_provider(&settings.outbound)?)?))
}

fn start_notifier(
    tasks: &mut JoinSet<()>,
    settings: &Settings,
    state: &AppState,
    stop: &CancellationToken,
) -> Result<()> {
    let sink = Arc::new(outbound::Notifications::new(&settings.outbound)?);
    let rights = api::subscription_rights(state.trust.clone());
    let notifier = Notifier::new(state.subscriptions.clone(), sink, rights, wall);
    let stop = stop.clone().cancelled_owned();
    tasks.spawn(notifier.run(stop));
    Ok(())
}

/// Carries what waits in the outbox of the control room.
fn start_courier(
    tasks: &mut JoinSet<()>,
    settings: &Settings,
    city: &CityFolder,
    store: &Store,
    post: Post,
    stop: &CancellationToken,
) -> Result<()> {
    let zone = TimeZone::get(&city.file.city.time_zone).context("the time zone in city.toml")?;
    let base = settings.server.public_url.as_ref().map(ToString::to_string);
    let courier = Courier::new(store.clone(), city.tenant.clone(), Arc::new(post), Arc::new(wall)).writing(zone, base);
    tasks.spawn(courier.run(stop.clone().cancelled_owned()));
    Ok(())
}

fn start_sources(
    tasks: &mut JoinSet<()>,
    settings: &Settings,
    city: &CityFolder,
    store: &Store,
    clock: &CityClock,
    board: &Board,
    stop: &CancellationToken,
) -> Result<()> {
    let http = outbound::client(&settings.outbound)?;
    let intake = Intake::new(store, city, clock, http, board.clone());
    for source in city.sources() {
        let replayed = source.replay && clock.state().replay.is_some();
        if source.replay && !replayed {
            continue;
        }
        let (intake, stop) = (intake.clone(), stop.clone());
        tasks.spawn(async move { intake.keep_running(source, Occasion::Serve, &stop).await });
    }
    tasks.spawn(Retention::of(city).keep(store.clone(), clock.clone(), stop.clone()));
    Ok(())
}

fn announce(settings: &Settings, city: &CityFolder, open: bool) {
    let listen = settings.server.listen;
    tracing::info!(city = %city.file.city.name, data = %settings.server.data.display(), "open http://{listen}/ in a browser");
    eprintln!("\n  {} is on http://{listen}/\n  Ctrl-C stops it.\n", city.file.city.name);
    if open {
        eprintln!(
            "  --open: EVERYBODY WHO REACHES THIS ADDRESS IS AN ADMINISTRATOR. For first tries and test suites only.\n"
        );
        tracing::info!("--open: everybody who reaches {listen} is an administrator");
    }
}

/// Ctrl-C, or the signal with which supervisors ask.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Waits for the tasks, then closes the store: what was accepted is on disk already, history is put in order.
async fn finish(mut tasks: JoinSet<()>, store: Store) -> Result<()> {
    let ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(STOP_S_MAX), ended).await.is_err() {
        tracing::info!("some tasks did not end within {STOP_S_MAX} s and are broken off");
        tasks.shutdown().await;
    }
    tokio::task::spawn_blocking(move || store.close()).await.context("closing the store")??;
    tracing::info!("stopped");
    Ok(())
}
