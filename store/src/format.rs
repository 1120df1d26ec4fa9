//! The format of the data folder, and from which position a restored store goes on.

use crate::state::{read, write};
use crate::{Error, Kind, Position};
use object_store::ObjectStore;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

/// The format this program reads and writes.
pub(crate) const FORMAT: u32 = 1;

/// What the data folder says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Format {
    /// Its format.
    pub(crate) format: u32,
    /// New positions are above it: those that the store a backup was taken of has given since are never given again.
    #[serde(default)]
    pub(crate) above: Position,
    /// Whether a restore is putting it together.
    #[serde(default)]
    pub(crate) restoring: bool,
}

/// Where it stands, below the data folder.
pub(crate) const PLACE: &str = "_store/format.json";

/// Reads it, and writes it where there is none yet. `Kind::Mismatch` for a format that this program does not know.
pub(crate) async fn check(objects: &dyn ObjectStore) -> Result<Format, Error> {
    let place = Path::from(PLACE);
    let Some(found) = read::<Format>(objects, &place).await? else {
        let new = Format { format: FORMAT, above: Position(0), restoring: false };
        write(objects, &place, &new).await?;
        return Ok(new);
    };
    if found.restoring {
        let message = "a restore into the data folder did not come to its end; empty the folders of data and log, and restore again";
        return Err(Error::new(Kind::Unusable, message));
    }
    if found.format != FORMAT {
        let message = format!(
            "the data folder has format {}, this program knows {FORMAT}; run the version of Lamppost that wrote it, or a newer one",
            found.format
        );
        return Err(Error::new(Kind::Mismatch, message));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local;

    #[tokio::test]
    async fn a_folder_of_another_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let objects = local::open(folder.path()).unwrap();
        let new = check(&*objects).await.unwrap();
        assert_eq!((new, check(&*objects).await.unwrap()), (new, new));
        let newer = Format { format: FORMAT + 1, ..new };
        write(&*objects, &Path::from(PLACE), &newer).await.unwrap();
        let refused = check(&*objects).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Mismatch);
        assert!(refused.message.starts_with("the data folder has format 2, this program knows 1;"), "{refused}");
        write(&*objects, &Path::from(PLACE), &Format { restoring: true, ..new }).await.unwrap();
        assert_eq!(check(&*objects).await.unwrap_err().kind, Kind::Unusable);
    }
}
