//! What Grafana reads at its start: the data source and the provider of the dashboards.

use crate::{File, Options};

/// The data source's uid, by which every panel names it.
pub(crate) const SOURCE: &str = "lamppost";
/// The plugin that reads REST.
pub(crate) const PLUGIN: &str = "yesoreyeram-infinity-datasource";
/// Where the dashboards lie. Beside their provider, so that one mount at `/etc/grafana/provisioning` brings everything.
pub(crate) const FOLDER: &str = "provisioning/dashboards/lamppost";

pub(crate) fn files(options: &Options) -> Vec<File> {
    let file = |path: &str, text: String| File { path: format!("provisioning/{path}/lamppost.yaml"), text };
    vec![file("datasources", source(options)), file("dashboards", PROVIDER.to_owned())]
}

/// The data source. Grafana fills in `$LAMPPOST_KEY` from its environment.
fn source(options: &Options) -> String {
    let mark = if options.with_key { "" } else { "# " };
    // A JSON string is a YAML string, quoted.
    let url = serde_json::Value::from(options.url.as_str());
    let health = serde_json::Value::from(format!("{}/health", options.url));
    format!(
        "# Written by `lamppost dashboards`. Needs the plugin {PLUGIN} 3 or newer.
apiVersion: 1
prune: true
datasources:
  - name: Lamppost
    uid: {SOURCE}
    type: {PLUGIN}
    access: proxy
    url: {url}
    editable: false
    jsonData:
      allowedHosts: [{url}]
      customHealthCheckEnabled: true
      customHealthCheckUrl: {health}
      # A key reads restricted datasets and has a budget of its own: `lamppost dashboards --with-key` writes these lines.
      {mark}httpHeaderName1: Authorization
    {mark}secureJsonData:
      {mark}httpHeaderValue1: Bearer $LAMPPOST_KEY
"
    )
}

/// The provider of the dashboards.
const PROVIDER: &str = "# Written by `lamppost dashboards`.
apiVersion: 1
providers:
  - name: Lamppost
    folder: Lamppost
    folderUid: lamppost
    type: file
    allowUiUpdates: false
    updateIntervalSeconds: 30
    options:
      path: /etc/grafana/provisioning/dashboards/lamppost
";
