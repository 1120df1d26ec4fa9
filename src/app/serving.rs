//! Doors and answers around an open store, from their first request to their last.

use super::backups::Backups;
use super::fronts::Fronts;
use super::operate::Operator;
use super::watch::Watch;
use super::{App, Sockets, Summary, certificates, ended, figures, glance, told};
use crate::{Config, Error};
use access::{Budget, Entrance, Keys};
use ingest::doors;
use ingest::doors::listener::gate::Gate;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::task::JoinSet;

impl App {
    /// Serves until `shutdown` is ready or the store takes nothing more, then closes everything in order.
    pub async fn serve(
        mut self,
        config: &Config,
        sockets: Sockets,
        shutdown: impl Future<Output = ()>,
    ) -> Result<Summary, Error> {
        let (close_doors, doors_closed) = watch::channel(false);
        let (close_http, http_closed) = watch::channel(false);
        let fronts = Fronts::new(config);
        let keys = Keys::watch(config.keys.clone())
            .map_err(|wrong| Error::run(format!("{}: {wrong}", config.keys.display())))?;
        let watch = self.watch(config, &sockets, &fronts)?;
        let parts = self.parts(config, &watch, keys.clone())?;
        let readings = self.readings_door(config, keys.clone(), parts.admission.budget.clone());
        // Where both have a path, one takes GET and the other POST.
        let router = serve::router(parts).merge(doors::http::router(readings));
        let entrance = Entrance::new(sockets.http, fronts.http.clone());
        let mut http = tokio::spawn(access::run(entrance, router, config.limits, word(http_closed)));
        let mut doors = JoinSet::new();
        if let Some(socket) = sockets.mqtt {
            let gate = Gate::new(keys, config.mqtt_keyed).bounded(Budget::new(config.allowance));
            let entrance = Entrance::new(socket, fronts.mqtt.clone());
            let (intake, bounds, end) = (self.intake.clone(), config.listener.clone(), word(doors_closed.clone()));
            doors.spawn(async move {
                doors::listener::run(entrance, gate, intake, bounds, end).await;
                Ok(())
            });
        }
        if let Some(socket) = sockets.graphite {
            let (entrance, intake) = (Entrance::new(socket, fronts.graphite.clone()), self.intake.clone());
            let end = word(doors_closed.clone());
            doors.spawn(async move {
                doors::graphite::run(entrance, intake, doors::graphite::Config::default(), end).await;
                Ok(())
            });
        }
        for broker in &config.brokers {
            doors.spawn(doors::broker::run(broker.clone(), self.intake.clone(), word(doors_closed.clone())));
        }
        let ended = tokio::select! {
            () = shutdown => Ok(()),
            // The intake ends before its time when the store refuses for good.
            ended = ended(&mut self.gathering) => ended,
            Some(ended) = doors.join_next(), if !doors.is_empty() => told(ended),
            () = watch.run() => Ok(()),
            _ = &mut http => Err(Error::run("the HTTP door ended before its time")),
            () = certificates::watch(&fronts, &self.clock) => Ok(()),
        };
        tracing::info!("shutting down");
        let _ = close_doors.send(true);
        while doors.join_next().await.is_some() {}
        let summary = self.summary();
        let _ = close_http.send(true);
        let cut = if http.is_finished() { 0 } else { http.await.unwrap_or(0) };
        if cut > 0 {
            tracing::warn!(connections = cut, "HTTP connections had to be cut");
        }
        let closed = self.close().await;
        ended.and(closed).map(|()| summary)
    }

    /// What looks at this server.
    fn watch(&self, config: &Config, sockets: &Sockets, fronts: &Fronts) -> Result<Arc<Watch>, Error> {
        Ok(Arc::new(Watch {
            reader: self.reader.clone(),
            backlog: self.intake.backlog(),
            fronts: fronts.clone(),
            doors: glance::Doors::new(config, sockets, self.intake.metrics())?,
            clock: self.clock.clone(),
            started: self.started,
            pulse: Mutex::default(),
        }))
    }

    /// What the HTTP door is made of.
    fn parts(&self, config: &Config, watch: &Arc<Watch>, keys: Keys) -> Result<serve::Parts, Error> {
        let engine = engine::Engine::new(self.reader.clone(), self.clock.clone(), config.engine.clone())
            .map_err(|e| Error::run(format!("cannot start the engine: {e}")))?;
        let sql = engine::sql::Pool::new(engine.clone(), config.sql.clone(), sql_worker(config.sql.memory))
            .map_err(|e| Error::run(format!("cannot start the pool of SQL workers: {e}")))?;
        let (metrics, reader) = (self.intake.metrics().clone(), self.reader.clone());
        let [ready, scraped, asked] = [watch.clone(), watch.clone(), watch.clone()];
        let pool = sql.clone();
        let operator = Operator {
            writer: self.writer.clone(),
            reader: self.reader.clone(),
            clock: self.clock.clone(),
            backups: Backups::default(),
        };
        Ok(serve::Parts {
            limits: config.limits,
            engine,
            sql,
            admission: serve::Admission {
                keys,
                budget: Budget::new(config.allowance),
                anonymous_cells: config.anonymous_cells,
                public_metrics: config.public_metrics,
            },
            unready: Arc::new(move || ready.unready()),
            figures: Arc::new(move || scraped.figures()),
            register: Arc::new(move |registry| {
                metrics.register(registry);
                registry.register_collector(Box::new(figures::Timings(reader.clone())));
            }),
            status: Arc::new(move || asked.glance(pool.figures()).json()),
            operate: Arc::new(move |order| operator.act(order)),
        })
    }

    /// What the HTTP door for readings is made of.
    fn readings_door(&self, config: &Config, keys: Keys, budget: Arc<Budget>) -> doors::http::Parts {
        doors::http::Parts {
            intake: self.intake.clone(),
            gate: Gate::new(keys, config.http_keyed),
            open: config.http_open,
            budget,
            limits: config.limits,
            config: config.write.clone(),
        }
    }

    fn summary(&self) -> Summary {
        let readings = self.reader.datasets().iter().map(|dataset| self.readings(&dataset.id)).sum();
        let rejects = self.reader.rejects().iter().map(|row| row.count).sum();
        Summary { readings, rejects, position: self.reader.status().position.0 }
    }
}

/// How a SQL worker is started: this very program again, even if a newer one has taken its place on disk.
fn sql_worker(memory: u64) -> engine::sql::Start {
    let arguments = vec!["sql-worker".into(), memory.to_string().into()];
    // By default mimalloc takes a gibibyte of address space at once and counts it as used, which leaves nothing of the limit.
    let environment = vec![("MIMALLOC_ARENA_EAGER_COMMIT", "0")];
    engine::sql::Start { program: "/proc/self/exe".into(), arguments, environment }
}

/// Resolves when the word is given, or nobody is left to give it.
async fn word(mut given: watch::Receiver<bool>) {
    let _ = given.wait_for(|given| *given).await;
}
