//! A column chunk of [`super::packed`] pages: what the Parquet crate's writer does, with pages of our own.

use super::groups::Stretches;
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
use schemas::ABSENT;
use std::sync::{Arc, Mutex, PoisonError};

/// The chunk of pages of so many rows each, in order. `next` appends the integers of the next rows, absent ones too. Keys get
/// an index of their pages' bounds.
pub(super) fn write(
    column: &ColumnDescPtr,
    press: &mut Press,
    level: Compression,
    pages: impl Iterator<Item = usize>,
    next: &mut dyn FnMut(usize, &mut Vec<i64>),
) -> Result<(Bytes, ColumnCloseResult)> {
    let optional = column.max_def_level() > 0;
    let mut chunk = Chunk::new(column);
    let (mut nulls, mut ends): (usize, Option<(i64, i64)>) = (0, None);
    let mut values = Vec::new();
    for rows in pages {
        values.clear();
        next(rows, &mut values);
        let mut raw = if optional { definition(&values) } else { Vec::new() };
        if values.contains(&ABSENT) {
            values.retain(|value| *value != ABSENT);
        }
        nulls += rows - values.len();
        packed::encode(&values, &mut raw);
        chunk.page(raw, rows, Encoding::DELTA_BINARY_PACKED, press.at(level)?)?;
        if let Some(&first) = values.first() {
            let (low, high) = values.iter().fold((first, first), |(low, high), &v| (low.min(v), high.max(v)));
            if !optional {
                chunk.bounds.append(false, low.to_le_bytes().to_vec(), high.to_le_bytes().to_vec(), 0);
            }
            ends = Some(ends.map_or((low, high), |(least, most)| (least.min(low), most.max(high))));
        }
    }
    chunk.bounds.set_boundary_order(BoundaryOrder::UNORDERED);
    let figures = statistics(column.physical_type(), ends, nulls as u64);
    chunk.close(level, Encoding::DELTA_BINARY_PACKED, None, figures, !optional)
}

/// The chunk of the sensor column: a dictionary of ids, ascending, and for each page how many rows each has, as
/// (number of the id, rows) in order.
pub(super) fn write_ids(
    column: &ColumnDescPtr,
    press: &mut Press,
    level: Compression,
    ids: &[&str],
    pages: &[Stretches],
) -> Result<(Bytes, ColumnCloseResult)> {
    let mut chunk = Chunk::new(column);
    let counted = |id: &&str| [&(id.len() as u32).to_le_bytes()[..], id.as_bytes()].concat();
    let words: Vec<u8> = ids.iter().flat_map(counted).collect();
    chunk.dictionary(words, ids.len(), press.at(level)?)?;
    // Bits of the greatest number, one at least.
    let bits = (usize::BITS - ids.len().saturating_sub(1).leading_zeros()).max(1);
    for page in pages {
        let mut raw = vec![bits as u8];
        for &(id, rows) in page {
            run(&mut raw, rows);
            raw.extend_from_slice(&id.to_le_bytes()[..bits.div_ceil(8) as usize]);
        }
        chunk.page(raw, page.iter().map(|(_, rows)| rows).sum(), Encoding::RLE_DICTIONARY, press.at(level)?)?;
        if let (Some(first), Some(last)) = (page.first(), page.last()) {
            let bytes = |id: usize| ids[id].as_bytes().to_vec();
            chunk.bounds.append(false, bytes(first.0), bytes(last.0), 0);
        }
    }
    chunk.bounds.set_boundary_order(BoundaryOrder::ASCENDING);
    let end = |id: Option<&&str>| id.map(|id| ByteArray::from(id.as_bytes().to_vec()));
    let figures = Statistics::byte_array(end(ids.first()), end(ids.last()), None, Some(0), false);
    chunk.close(level, Encoding::RLE_DICTIONARY, Some(0), figures, true)
}

/// A chunk being written.
struct Chunk<'a> {
    column: &'a ColumnDescPtr,
    sink: TrackedWrite<Vec<u8>>,
    places: OffsetIndexBuilder,
    bounds: ColumnIndexBuilder,
    rows: usize,
    raw_bytes: usize,
    first: Option<u64>,
}

impl<'a> Chunk<'a> {
    fn new(column: &'a ColumnDescPtr) -> Chunk<'a> {
        Chunk {
            column,
            sink: TrackedWrite::new(Vec::new()),
            places: OffsetIndexBuilder::new(),
            bounds: ColumnIndexBuilder::new(column.physical_type()),
            rows: 0,
            raw_bytes: 0,
            first: None,
        }
    }

    /// Appends the page of so many words, each behind its length.
    fn dictionary(&mut self, words: Vec<u8>, count: usize, zstd: &mut Squeeze) -> Result<()> {
        let length = words.len();
        let buf = zstd.squeeze(words)?;
        let page = Page::DictionaryPage { buf, num_values: count as u32, encoding: Encoding::PLAIN, is_sorted: false };
        let spec = SerializedPageWriter::new(&mut self.sink).write_page(CompressedPage::new(page, length))?;
        self.raw_bytes += spec.uncompressed_size;
        Ok(())
    }

    /// Appends a page of values.
    fn page(&mut self, raw: Vec<u8>, rows: usize, encoding: Encoding, zstd: &mut Squeeze) -> Result<()> {
        let length = raw.len();
        let page = Page::DataPage {
            buf: zstd.squeeze(raw)?,
            num_values: rows as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let spec = SerializedPageWriter::new(&mut self.sink).write_page(CompressedPage::new(page, length))?;
        self.places.append_row_count(rows as i64);
        self.places.append_offset_and_size(spec.offset as i64, spec.compressed_size as i32);
        self.first.get_or_insert(spec.offset);
        self.rows += rows;
        self.raw_bytes += spec.uncompressed_size;
        Ok(())
    }

    fn close(
        self,
        level: Compression,
        encoding: Encoding,
        dictionary: Option<i64>,
        figures: Statistics,
        has_bounds: bool,
    ) -> Result<(Bytes, ColumnCloseResult)> {
        let written = self.sink.bytes_written();
        let bytes = Bytes::from(self.sink.into_inner()?);
        let plain = dictionary.map(|_| Encoding::PLAIN);
        let metadata = ColumnChunkMetaData::builder(self.column.clone())
            .set_compression(level)
            .set_encodings(plain.into_iter().chain([Encoding::RLE, encoding]).collect())
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(written as i64)
            .set_total_uncompressed_size(self.raw_bytes as i64)
            .set_dictionary_page_offset(dictionary)
            .set_data_page_offset(self.first.unwrap_or(0) as i64)
            .set_statistics(figures)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: written as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: if has_bounds { Some(self.bounds.build()?) } else { None },
            offset_index: Some(self.places.build()),
        };
        Ok((bytes, close))
    }
}

/// Bytes of a chunk of just these values, for trials.
pub(super) fn size(values: &[i64], page: usize, level: Compression) -> Result<usize> {
    let mut zstd = Squeeze::new(level)?;
    let one = |page: &[i64]| {
        let mut raw = Vec::new();
        packed::encode(page, &mut raw);
        Ok(zstd.squeeze(raw)?.len())
    };
    values.chunks(page).map(one).sum()
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
fn definition(values: &[i64]) -> Vec<u8> {
    let mut runs: Vec<(bool, usize)> = Vec::new();
    if values.contains(&ABSENT) {
        let alike = values.chunk_by(|a, b| (*a == ABSENT) == (*b == ABSENT));
        runs.extend(alike.map(|run| (run[0] != ABSENT, run.len())));
    } else {
        runs.push((true, values.len()));
    }
    let mut out = vec![0; 4];
    for (level, length) in runs {
        run(&mut out, length);
        out.push(u8::from(level));
    }
    let length = (out.len() - 4) as u32;
    out[..4].copy_from_slice(&length.to_le_bytes());
    out
}

/// Appends the header of a run of one value.
fn run(out: &mut Vec<u8>, length: usize) {
    let mut header = length << 1;
    while header >= 0x80 {
        out.push(header as u8 | 0x80);
        header >>= 7;
    }
    out.push(header as u8);
}

/// Compression of pages, by level: making one ready takes longer than a page does.
#[derive(Default)]
pub(super) struct Press(Vec<(Compression, Squeeze)>);

impl Press {
    fn at(&mut self, level: Compression) -> Result<&mut Squeeze> {
        let known = self.0.iter().position(|(known, _)| *known == level);
        let at = match known {
            Some(at) => at,
            None => {
                self.0.push((level, Squeeze::new(level)?));
                self.0.len() - 1
            }
        };
        Ok(&mut self.0[at].1)
    }
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

    fn squeeze(&mut self, bytes: Vec<u8>) -> Result<Bytes> {
        self.writer.write_batch(&[FixedLenByteArray::from(ByteArray::from(bytes))], None, None)?;
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
        let mut all = pages.iter().flatten().map(|value| value.unwrap_or(ABSENT));
        let mut next = |rows: usize, out: &mut Vec<i64>| out.extend(all.by_ref().take(rows));
        let rows = pages.iter().map(Vec::len);
        let zstd = Compression::ZSTD(ZstdLevel::try_new(3).unwrap());
        let (bytes, close) = write(&descriptor, &mut Press::default(), zstd, rows, &mut next).unwrap();
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
