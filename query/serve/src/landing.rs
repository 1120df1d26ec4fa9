//! `/`: one plain page that shows what there is and leads to addresses with data behind them.
//!
//! No scripts, no assets of others, dark where the reader's system is.

use crate::call::{Call, VARY};
use crate::error::problem;
use access::Problem;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use engine::{Answer, Question, Values};
use schemas::{Dataset, Text, Time, Zone};
use std::fmt::Write;

/// What the page may load: its own style and nothing else.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The part of the page before the datasets.
const HEAD: &str = "<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">
<title>Open data of this city</title><style>
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}
h1,h2{line-height:1.2}h2{margin:2rem 0 .2rem}p{margin:.4rem 0}
small,.quiet{color:light-dark(#555,#aaa)}a{color:light-dark(#0550ae,#79b8ff)}
nav a{display:inline-block;margin-right:1rem}code{font-size:.9em}
</style></head><body>
<h1>Open data of this city</h1>
<p>Readings of the city's sensors, free to read: open a link, or ask for the same address in a program.
Add <code>format=csv</code> for a table, see <a href=\"/api/v1\">the index</a> for all parameters.</p>
";

/// The part after them.
const FOOT: &str = "<h2>For programs</h2>
<nav><a href=\"/api/v1\">index</a><a href=\"/api/v1/datasets\">datasets</a>\
<a href=\"/api/v1/sql?q=SELECT+*+FROM+datasets\">SQL</a><a href=\"/health\">health</a>\
<a href=\"/ready\">ready</a><a href=\"/metrics\">metrics</a></nav>
<p class=\"quiet\">Served by Lamppost.</p>
</body></html>
";

/// What the page says of one dataset.
struct Card {
    id: String,
    title: String,
    description: String,
    license: String,
    publisher: String,
    sensors: i64,
    /// Newest instant with a reading, and its zone.
    newest: Option<(Time, Zone)>,
}

/// The page.
pub(crate) async fn get(call: Call) -> Result<Response, Problem> {
    call.params(&[]).finish()?;
    let cards = cards(&call).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::VARY, VARY),
    ];
    let now = call.api.parts.engine.now();
    let kept = format!("{}, max-age=10", call.whose());
    Ok((headers, [(header::CACHE_CONTROL, kept)], page(&cards, now)).into_response())
}

/// A card for each dataset the caller may read.
async fn cards(call: &Call) -> Result<Vec<Card>, Problem> {
    let engine = &call.api.parts.engine;
    let ids = call.datasets().iter().map(|dataset| dataset.id.clone()).collect();
    let resolved = call.resolve(Question::Datasets { ids })?;
    let _bill = call.bill(1)?;
    let answer = engine.answer(&resolved).await.map_err(problem)?;
    let Some(Values::Text(ids)) = column(&answer, "id") else { return Ok(Vec::new()) };
    let known = |id: &str| engine.datasets().iter().find(|dataset| &*dataset.id == id);
    let rows = ids.iter().enumerate();
    Ok(rows.filter_map(|(row, id)| Some(card(&answer, row, known(id.as_deref()?)?))).collect())
}

/// The card of a row of the datasets' answer.
fn card(answer: &Answer, row: usize, dataset: &Dataset) -> Card {
    let newest = match column(answer, "last") {
        Some(Values::Time { values, .. }) => values[row],
        _ => None,
    };
    let sensors = match column(answer, "sensors") {
        Some(Values::Int(values)) => values[row].unwrap_or_default(),
        _ => 0,
    };
    Card {
        id: dataset.id.to_string(),
        title: english(&dataset.title).unwrap_or(&dataset.id).to_owned(),
        description: english(&dataset.description).unwrap_or_default().to_owned(),
        license: dataset.license.clone(),
        publisher: dataset.publisher.clone(),
        sensors,
        newest: newest.map(|time| (time, dataset.zone.clone())),
    }
}

/// Values of a column by its name.
fn column<'a>(answer: &'a Answer, name: &str) -> Option<&'a Values> {
    answer.columns.iter().find(|column| column.name == name).map(|column| &column.values)
}

/// The English text, else the first there is.
fn english(text: &Text) -> Option<&str> {
    text.get("en").or_else(|| text.values().next()).map(String::as_str)
}

/// The whole page.
fn page(cards: &[Card], now: Time) -> String {
    let mut page = HEAD.to_owned();
    for card in cards {
        // Writing to a string cannot fail.
        let _ = section(card, now, &mut page);
    }
    if cards.is_empty() {
        page.push_str("<p>No dataset is declared yet.</p>\n");
    }
    page.push_str(FOOT);
    page
}

/// One dataset with links that have data behind them: its last 24 hours, or those before its newest reading.
fn section(card: &Card, now: Time, page: &mut String) -> std::fmt::Result {
    let (title, about) = (escaped(&card.title), escaped(&card.description));
    writeln!(page, "<h2 id=\"{0}\">{title}</h2>\n<p>{about}</p>", escaped(&card.id))?;
    let Some((newest, zone)) = &card.newest else {
        return writeln!(page, "<p class=\"quiet\">{} sensors, no reading yet.</p>", card.sensors);
    };
    let (sensors, newest_text) = (card.sensors, escaped(&zone.format(*newest)));
    let origin = format!("{}, {}", escaped(&card.publisher), escaped(&card.license));
    writeln!(page, "<p class=\"quiet\">{sensors} sensors, newest reading {newest_text}. {origin}.</p>")?;
    let span = if newest.plus(schemas::time::DAY) > now {
        "from=now-24h".to_owned()
    } else {
        let utc = |time: Time| time.to_string();
        let to = newest.hour().plus(schemas::time::HOUR);
        format!("from={}&amp;to={}", utc(to.plus(-schemas::time::DAY)), utc(to))
    };
    let path = format!("/api/v1/datasets/{}", escaped(&card.id));
    writeln!(
        page,
        "<nav><a href=\"{path}/latest\">now</a>\
         <a href=\"{path}/aggregates?{span}&amp;bucket=1h&amp;group=none\">hour by hour</a>\
         <a href=\"{path}/aggregates?{span}&amp;bucket=1h&amp;group=none&amp;format=csv\">as CSV</a>\
         <a href=\"{path}/readings?{span}&amp;limit=100\">readings</a>\
         <a href=\"{path}/sensors\">sensors</a><a href=\"{path}\">about</a></nav>"
    )
}

/// Text for a place between tags or in a quoted attribute.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(newest: Option<i64>) -> Card {
        Card {
            id: "traffic".to_owned(),
            title: "Cars & <bikes>".to_owned(),
            description: "Counts.".to_owned(),
            license: "CC0-1.0".to_owned(),
            publisher: "Town".to_owned(),
            sensors: 3,
            newest: newest.map(|micros| (Time(micros), Zone::utc())),
        }
    }

    #[test]
    fn links_lead_to_where_the_data_is() {
        let day = schemas::time::DAY;
        let live = page(&[card(Some(20_000 * day))], Time(20_000 * day + 5));
        assert!(live.contains("/api/v1/datasets/traffic/aggregates?from=now-24h&amp;bucket=1h"), "{live}");
        let old = page(&[card(Some(20_000 * day))], Time(20_100 * day));
        assert!(old.contains("from=2024-10-03T01:00:00Z&amp;to=2024-10-04T01:00:00Z"), "{old}");
        let none = page(&[card(None)], Time(0));
        assert!(none.contains("3 sensors, no reading yet") && !none.contains("/aggregates"), "{none}");
        assert!(live.contains("Cars &amp; &lt;bikes&gt;") && live.len() < 10_000);
    }
}
