//! The parameters of the API: the names endpoints accept, and what the index says of them.

/// A parameter of an endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    /// Its name in the query; `attribute.<name>` stands for all that begin so.
    pub(crate) name: &'static str,
    /// What it takes, and what holds without it.
    pub(crate) about: &'static str,
}

/// The beginning of parameters that name an attribute.
pub(crate) const ATTRIBUTE_PREFIX: &str = "attribute.";

pub(crate) const ATTRIBUTE: Parameter = Parameter {
    name: "attribute.<name>",
    about: "only sensors whose attribute of that name has this value; * for any or none",
};
pub(crate) const BBOX: Parameter =
    Parameter { name: "bbox", about: "west,south,east,north in degrees: only sensors inside" };
pub(crate) const BUCKET: Parameter = Parameter {
    name: "bucket",
    about: "width of a row: a duration from 1s (15m, 24h), day, week, month, year, or auto (the default)",
};
pub(crate) const CURSOR: Parameter =
    Parameter { name: "cursor", about: "meta.next of the page before: the rows after it" };
pub(crate) const FIELDS: Parameter = Parameter { name: "fields", about: "fields by commas; all by default" };
pub(crate) const FIELD_FUNCTIONS: Parameter = Parameter {
    name: "fields",
    about: "fields with their functions by commas (co2_mean,co2_max,co2_coverage); a bare field, or none at all, gives \
            the functions that suit its kind; co2_p95 is exact by nearest rank, co2_p95_sketch 1/128 off at most",
};
pub(crate) const FILL: Parameter = Parameter {
    name: "fill",
    about: "none (the default): only buckets with readings; null: every bucket, values null where there are none",
};
pub(crate) const FORMAT: Parameter =
    Parameter { name: "format", about: "json or csv; by default the header Accept decides, else json" };
pub(crate) const FROM: Parameter = Parameter {
    name: "from",
    about: "first instant: RFC 3339 with offset, a date (its start in tz), now, now-7d; 24 hours before to by default",
};
pub(crate) const GROUP: Parameter = Parameter {
    name: "group",
    about: "what makes a row besides the bucket: sensor (the default), none, or the name of an attribute",
};
pub(crate) const LIMIT: Parameter =
    Parameter { name: "limit", about: "rows of a page, from 1 to 10000; 1000 by default" };
pub(crate) const MAX_POINTS: Parameter =
    Parameter { name: "max_points", about: "with bucket=auto: buckets at most; 500 by default" };
pub(crate) const MOST: Parameter =
    Parameter { name: "limit", about: "rows at most: with order the first of it, else more are refused, never cut" };
pub(crate) const NEAR: Parameter =
    Parameter { name: "near", about: "lon,lat,metres: only sensors within that distance, nearest first" };
pub(crate) const ORDER: Parameter = Parameter {
    name: "order",
    about: "a column of the answer to sort rows by, with - before it for the greatest first (-cars_sum); rows without a \
            value come last",
};
pub(crate) const Q: Parameter =
    Parameter { name: "q", about: "text that the id or an attribute of the sensor contains, whatever the case" };
pub(crate) const SENSOR: Parameter =
    Parameter { name: "sensor", about: "ids by commas; all sensors by default, or by *" };
pub(crate) const SQL: Parameter =
    Parameter { name: "q", about: "one SELECT over the tables of the datasets, sensors and datasets" };
pub(crate) const TO: Parameter =
    Parameter { name: "to", about: "first instant after the span, written like from; now by default" };
pub(crate) const TZ: Parameter = Parameter {
    name: "tz",
    about: "IANA zone of the times in the answer and of civil days; the dataset's own by default",
};
