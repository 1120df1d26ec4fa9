//! A column chunk of [`super::packed`] pages: what the Parquet crate's writer does, with pages of our own.

use super::packed;
use bytes::Bytes;
use parquet::basic::{BoundaryOrder, Compression, Encoding, Repetition, Type as Physical};
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use parquet::column::writer::{ColumnCloseResult, ColumnWriterImpl};
use parquet::data_type::{ByteArray, FixedLenByteArray, FixedLenByteArrayType};
use parquet::errors::Result;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor, ColumnPath, Type};
use std::sync::{Arc, Mutex, PoisonError};

/// The values of a page, and for each row whether it has one; nothing when all have.
pub(super) type Rows<'a> = (Vec<i64>, Option<&'a [i16]>);

/// The chunk of some pages, in order. Keys get an index of their pages' bounds.
pub(super) fn write<'a>(
    column: &ColumnDescPtr,
    level: Compression,
    pages: impl Iterator<Item = Rows<'a>>,
) -> Result<(Bytes, ColumnCloseResult)> {
    let optional = column.max_def_level() > 0;
    let mut zstd = Squeeze::new(level)?;
    let mut sink = TrackedWrite::new(Vec::new());
    let (mut places, mut bounds) = (OffsetIndexBuilder::new(), ColumnIndexBuilder::new(column.physical_type()));
    let (mut rows, mut values, mut raw_bytes) = (0_usize, 0_usize, 0_usize);
    let mut ends: Option<(i64, i64)> = None;
    for (some, levels) in pages {
        let own = levels.map_or(some.len(), <[i16]>::len);
        let mut raw = if optional { definition(levels, own) } else { Vec::new() };
        raw.extend(packed::encode(&some));
        let page = Page::DataPage {
            buf: zstd.squeeze(&raw)?,
            num_values: own as u32,
            encoding: Encoding::DELTA_BINARY_PACKED,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let spec = SerializedPageWriter::new(&mut sink).write_page(CompressedPage::new(page, raw.len()))?;
        places.append_row_count(own as i64);
        places.append_offset_and_size(spec.offset as i64, spec.compressed_size as i32);
        rows += own;
        values += some.len();
        raw_bytes += spec.uncompressed_size;
        if let (Some(&low), Some(&high)) = (some.iter().min(), some.iter().max()) {
            bounds.append(false, low.to_le_bytes().to_vec(), high.to_le_bytes().to_vec(), 0);
            ends = Some(ends.map_or((low, high), |(least, most)| (least.min(low), most.max(high))));
        }
    }
    bounds.set_boundary_order(BoundaryOrder::UNORDERED);
    let written = sink.bytes_written();
    let bytes = Bytes::from(sink.into_inner()?);
    let metadata = ColumnChunkMetaData::builder(column.clone())
        .set_compression(level)
        .set_encodings(vec![Encoding::RLE, Encoding::DELTA_BINARY_PACKED])
        .set_num_values(rows as i64)
        .set_total_compressed_size(written as i64)
        .set_total_uncompressed_size(raw_bytes as i64)
        .set_data_page_offset(0)
        .set_statistics(statistics(column.physical_type(), ends, (rows - values) as u64))
        .build()?;
    let close = ColumnCloseResult {
        bytes_written: written as u64,
        rows_written: rows as u64,
        metadata,
        bloom_filter: None,
        column_index: if optional { None } else { Some(bounds.build()?) },
        offset_index: Some(places.build()),
    };
    Ok((bytes, close))
}

/// Bytes of a chunk of just these values, for trials.
pub(super) fn size(values: &[i64], page: usize, level: Compression) -> Result<usize> {
    let mut zstd = Squeeze::new(level)?;
    values.chunks(page).map(|page| Ok(zstd.squeeze(&packed::encode(page))?.len())).sum()
}

fn statistics(physical: Physical, ends: Option<(i64, i64)>, nulls: u64) -> Statistics {
    let (low, high) = ends.unzip();
    match physical {
        Physical::INT32 => Statistics::int32(low.map(|v| v as i32), high.map(|v| v as i32), None, Some(nulls), false),
        _ => Statistics::int64(low, high, None, Some(nulls), false),
    }
}

/// Definition levels as runs:
/// <https://github.com/apache/parquet-format/blob/master/Encodings.md#run-length-encoding--bit-packing-hybrid-rle--3>.
fn definition(levels: Option<&[i16]>, rows: usize) -> Vec<u8> {
    let mut runs: Vec<(i16, usize)> = Vec::new();
    match levels {
        None => runs.push((1, rows)),
        Some(levels) => runs.extend(levels.chunk_by(|a, b| a == b).map(|run| (run[0], run.len()))),
    }
    let mut out = vec![0; 4];
    for (level, length) in runs {
        let mut header = length << 1;
        while header >= 0x80 {
            out.push(header as u8 | 0x80);
            header >>= 7;
        }
        out.extend([header as u8, level as u8]);
    }
    let length = (out.len() - 4) as u32;
    out[..4].copy_from_slice(&length.to_le_bytes());
    out
}

/// The Parquet crate's compression, which it shows only through its writer: a plain page of one value of fixed length is
/// just that value's bytes, compressed.
struct Squeeze {
    writer: ColumnWriterImpl<'static, FixedLenByteArrayType>,
    pages: Arc<Mutex<Vec<Bytes>>>,
}

impl Squeeze {
    fn new(level: Compression) -> Result<Squeeze> {
        let column = Type::primitive_type_builder("v", Physical::FIXED_LEN_BYTE_ARRAY)
            .with_repetition(Repetition::REQUIRED)
            .with_length(1)
            .build()?;
        let column = Arc::new(ColumnDescriptor::new(Arc::new(column), 0, 0, ColumnPath::from("v")));
        let properties = WriterProperties::builder()
            .set_compression(level)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_dictionary_enabled(false)
            .set_data_page_row_count_limit(1)
            .build();
        let pages = Arc::<Mutex<Vec<Bytes>>>::default();
        let writer = ColumnWriterImpl::new(column, Arc::new(properties), Box::new(Catch(pages.clone())));
        Ok(Squeeze { writer, pages })
    }

    fn squeeze(&mut self, bytes: &[u8]) -> Result<Bytes> {
        self.writer.write_batch(&[FixedLenByteArray::from(ByteArray::from(bytes.to_vec()))], None, None)?;
        let page = self.pages.lock().unwrap_or_else(PoisonError::into_inner).pop();
        page.ok_or_else(|| parquet::errors::ParquetError::General("a page was not written".into()))
    }
}

/// Takes pages from a writer.
struct Catch(Arc<Mutex<Vec<Bytes>>>);

impl PageWriter for Catch {
    fn write_page(&mut self, page: CompressedPage) -> Result<PageWriteSpec> {
        let mut spec = PageWriteSpec::new();
        spec.num_values = page.num_values();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(page.compressed_page().buffer().clone());
        Ok(spec)
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::layout;
    use parquet::basic::ZstdLevel;
    use parquet::column::reader::get_typed_column_reader;
    use parquet::data_type::{DataType, Int32Type, Int64Type};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::writer::SerializedFileWriter;

    /// Writes pages of values, some absent, and reads them back by the Parquet crate.
    fn round<T: DataType>(pages: &[Vec<Option<i64>>]) -> Vec<Option<i64>>
    where
        T::T: Into<i64>,
    {
        let column = Type::primitive_type_builder("v", T::get_physical_type());
        let column = column.with_repetition(Repetition::OPTIONAL).build().unwrap();
        let mut file =
            SerializedFileWriter::new(Vec::new(), layout::schema(vec![column]).unwrap(), Arc::default()).unwrap();
        let descriptor = file.schema_descr().column(0);
        let levels: Vec<Vec<i16>> =
            pages.iter().map(|page| page.iter().map(|v| i16::from(v.is_some())).collect()).collect();
        let rows = pages.iter().zip(&levels).map(|(page, levels)| {
            let all = page.iter().all(Option::is_some);
            (page.iter().flatten().copied().collect(), (!all).then_some(&levels[..]))
        });
        let zstd = Compression::ZSTD(ZstdLevel::try_new(3).unwrap());
        let (bytes, close) = write(&descriptor, zstd, rows).unwrap();
        let mut group = file.next_row_group().unwrap();
        group.append_column(&bytes, close).unwrap();
        group.close().unwrap();
        let reader = SerializedFileReader::new(Bytes::from(file.into_inner().unwrap())).unwrap();
        let column = reader.get_row_group(0).unwrap().get_column_reader(0).unwrap();
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        get_typed_column_reader::<T>(column).read_records(1 << 20, Some(&mut levels), None, &mut values).unwrap();
        let mut values = values.into_iter().map(Into::into);
        levels.into_iter().map(|level| (level == 1).then(|| values.next().unwrap())).collect()
    }

    #[test]
    fn packed_values_of_any_kind_come_back() {
        let mut dice = crate::testing::Dice(3);
        let mut noise = |rows: usize, spread: u64, low: i64| -> Vec<Option<i64>> {
            (0..rows).map(|_| Some(low + dice.below(spread) as i64)).collect()
        };
        let jumps = |n: i64| Some(if n % 200 == 0 { 900_000_000 * (n % 3 - 1) } else { n * n % 97 });
        let holes: Vec<_> = noise(700, 50, -25).into_iter().zip(0..).map(|(v, n)| v.filter(|_| n % 7 > 1)).collect();
        let short = [
            vec![vec![Some(7)]],
            vec![vec![Some(5); 1000], noise(129, 3, 0), noise(2000, 20, 400)],
            vec![(0..3000).map(jumps).collect(), noise(33, 2_000_000_000, -1_000_000_000)],
            vec![holes, vec![None; 40], noise(31, 300, 0)],
        ];
        for pages in short {
            assert_eq!(round::<Int32Type>(&pages), pages.concat());
            assert_eq!(round::<Int64Type>(&pages), pages.concat());
        }
        let ends = [i64::MIN + 1, i64::MAX, 0, -1, 999_999_999_999_999_999, -999_999_999_999_999_999];
        let long = vec![(0..500).map(|n| Some(ends[n % 6])).collect(), noise(500, 3_000_000, 1_700_000_000_000_000)];
        assert_eq!(round::<Int64Type>(&long), long.concat());
    }
}
