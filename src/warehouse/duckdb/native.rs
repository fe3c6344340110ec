//! DuckDB's C interface, made safe: owners that free what they own, and results instead of states.
//!
//! The unsafe code of the room is here, in `library` and in `decode`. The types promise what DuckDB does: a database may be
//! used from any thread; a connection, its statements and results from one thread at a time; interrupting
//! from any thread.

use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use libduckdb_sys as ffi;

use super::library::{self, Loaded};
use crate::interrupt::Stop;

/// What DuckDB says when it refuses; begins with the error's kind (`Catalog Error: …`).
pub type Refusal = String;

/// An open database. Closed (and checkpointed) when the last connection to it is gone.
pub struct Database(ffi::duckdb_database);

// SAFETY: DuckDB's database object is made for use from several threads; only connecting uses it here.
unsafe impl Send for Database {}
unsafe impl Sync for Database {}

impl Database {
    /// Opens a file, or `:memory:`, with options as DuckDB's configuration knows them.
    pub fn open(_: Loaded, path: &str, options: &[(String, String)]) -> Result<Self, Refusal> {
        let path = c_string(path)?;
        let config = Config::new(options)?;
        let mut database = ptr::null_mut();
        let mut error: *mut c_char = ptr::null_mut();
        // SAFETY: all pointers live through the call; the error is ours and is freed with DuckDB's allocator.
        unsafe {
            if library::duckdb_open_ext(path.as_ptr(), &mut database, config.0, &mut error)
                == ffi::DuckDBSuccess
            {
                return Ok(Database(database));
            }
            let message = text(error).unwrap_or_else(|| "the database cannot be opened".to_owned());
            library::duckdb_free(error.cast());
            Err(message)
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: opened by `open`, closed once.
        unsafe { library::duckdb_close(&mut self.0) }
    }
}

struct Config(ffi::duckdb_config);

impl Config {
    fn new(options: &[(String, String)]) -> Result<Self, Refusal> {
        let mut config = Config(ptr::null_mut());
        // SAFETY: the pointer receives a configuration that `drop` frees.
        if unsafe { library::duckdb_create_config(&mut config.0) } != ffi::DuckDBSuccess {
            return Err("out of memory".to_owned());
        }
        for (name, value) in options {
            let (c_name, c_value) = (c_string(name)?, c_string(value)?);
            // SAFETY: the configuration and both strings are alive.
            let state = unsafe { library::duckdb_set_config(config.0, c_name.as_ptr(), c_value.as_ptr()) };
            if state != ffi::DuckDBSuccess {
                return Err(format!("DuckDB knows no configuration option {name} with the value {value}"));
            }
        }
        Ok(config)
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: created by `new`, destroyed once.
        unsafe { library::duckdb_destroy_config(&mut self.0) }
    }
}

/// A session. Keeps its database open.
pub struct Session {
    // Shared with the interrupters, which must not use it once it is closed.
    handle: Arc<Handle>,
    _database: Arc<Database>,
}

struct Handle {
    connection: Mutex<ffi::duckdb_connection>,
    /// Whether a statement is running that may be stopped.
    stoppable: AtomicBool,
}

// SAFETY: the only thing done to the handle from other threads is interrupting, which DuckDB allows.
unsafe impl Send for Handle {}
unsafe impl Sync for Handle {}

impl Stop for Handle {
    fn stop(&self) {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if !connection.is_null() && self.stoppable.load(Ordering::Relaxed) {
            // SAFETY: not null, therefore not yet closed, and closing waits for the lock.
            unsafe { library::duckdb_interrupt(*connection) }
        }
    }
}

impl Session {
    pub fn connect(database: &Arc<Database>) -> Result<Self, Refusal> {
        let mut connection = ptr::null_mut();
        // SAFETY: the database is open.
        if unsafe { library::duckdb_connect(database.0, &mut connection) } != ffi::DuckDBSuccess {
            return Err("DuckDB refuses another connection".to_owned());
        }
        let handle = Handle { connection: Mutex::new(connection), stoppable: AtomicBool::new(false) };
        Ok(Session { handle: Arc::new(handle), _database: database.clone() })
    }

    pub fn interrupter(&self) -> Arc<dyn Stop> {
        self.handle.clone()
    }

    /// Does something that interrupters may stop, which they do not do to anything else.
    pub fn stoppable<T>(&self, work: impl FnOnce() -> T) -> T {
        self.handle.stoppable.store(true, Ordering::Relaxed);
        let done = work();
        self.handle.stoppable.store(false, Ordering::Relaxed);
        done
    }

    fn raw(&self) -> ffi::duckdb_connection {
        *self.handle.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Splits text into its statements with DuckDB's own parser.
    pub fn statements(&self, sql: &str) -> Result<Statements<'_>, Refusal> {
        let sql = c_string(sql)?;
        let mut statements = Statements { session: self, extracted: ptr::null_mut(), count: 0 };
        // SAFETY: the connection is open and the text is alive; what is extracted belongs to `statements`.
        unsafe {
            statements.count =
                library::duckdb_extract_statements(self.raw(), sql.as_ptr(), &mut statements.extracted);
            if statements.count == 0
                && let Some(message) = text(library::duckdb_extract_statements_error(statements.extracted))
            {
                return Err(message);
            }
        }
        Ok(statements)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut connection = self.handle.connection.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: open until here; DuckDB sets the pointer to null, which the interrupters look at.
        unsafe { library::duckdb_disconnect(&mut *connection) }
        *connection = ptr::null_mut();
    }
}

/// The statements of one text.
pub struct Statements<'session> {
    session: &'session Session,
    extracted: ffi::duckdb_extracted_statements,
    count: ffi::idx_t,
}

impl<'session> Statements<'session> {
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Binds the statement at an index (below [`Statements::count`]) to the catalog as it is now: the
    /// statements before it must have run.
    pub fn prepare(&self, index: u64) -> Result<Prepared<'session>, Refusal> {
        let mut prepared = Prepared { _session: self.session, statement: ptr::null_mut() };
        // SAFETY: the extracted statements belong to this connection; the outcome belongs to `prepared`, which
        // DuckDB wants destroyed even if preparing failed.
        unsafe {
            let connection = self.session.raw();
            let state = library::duckdb_prepare_extracted_statement(
                connection,
                self.extracted,
                index,
                &mut prepared.statement,
            );
            if state != ffi::DuckDBSuccess {
                let message = text(library::duckdb_prepare_error(prepared.statement));
                return Err(message.unwrap_or_else(|| "the statement cannot be prepared".to_owned()));
            }
        }
        Ok(prepared)
    }
}

impl Drop for Statements<'_> {
    fn drop(&mut self) {
        // SAFETY: destroyed once; null is allowed.
        unsafe { library::duckdb_destroy_extracted(&mut self.extracted) }
    }
}

/// A statement that is ready to run.
pub struct Prepared<'session> {
    _session: &'session Session,
    statement: ffi::duckdb_prepared_statement,
}

impl<'session> Prepared<'session> {
    /// Whether the statement only reads, so that it may be left unfinished.
    pub fn is_query(&self) -> bool {
        // SAFETY: the statement was prepared.
        let kind = unsafe { library::duckdb_prepared_statement_type(self.statement) };
        kind == ffi::duckdb_statement_type_DUCKDB_STATEMENT_TYPE_SELECT
    }

    /// Whether the statement opens or ends a transaction.
    pub fn controls_transaction(&self) -> bool {
        // SAFETY: the statement was prepared.
        let kind = unsafe { library::duckdb_prepared_statement_type(self.statement) };
        kind == ffi::duckdb_statement_type_DUCKDB_STATEMENT_TYPE_TRANSACTION
    }

    /// The types of the columns of the result.
    pub fn column_types(&self) -> Vec<LogicalType> {
        // SAFETY: the statement was prepared; the indexes are in range; the types are ours.
        unsafe {
            let count = library::duckdb_prepared_statement_column_count(self.statement);
            (0..count)
                .map(|index| {
                    LogicalType(library::duckdb_prepared_statement_column_logical_type(self.statement, index))
                })
                .collect()
        }
    }

    /// The name of the column at an index of the result.
    pub fn column_name(&self, index: usize) -> String {
        // SAFETY: the statement was prepared; DuckDB checks the index and hands the name over.
        let name = unsafe {
            owned_text(
                library::duckdb_prepared_statement_column_name(self.statement, index as ffi::idx_t)
                    .cast_mut(),
            )
        };
        name.unwrap_or_default()
    }

    /// The number of placeholders.
    pub fn parameters(&self) -> u64 {
        // SAFETY: the statement was prepared.
        unsafe { library::duckdb_nparams(self.statement) }
    }

    /// Gives the placeholder at an index (from 1) a text, which DuckDB casts to what is needed.
    pub fn bind_text(&self, index: u64, value: &str) -> Result<(), Refusal> {
        // SAFETY: the text is alive and as long as said; DuckDB checks the index.
        let state = unsafe {
            library::duckdb_bind_varchar_length(
                self.statement,
                index,
                value.as_ptr().cast(),
                value.len() as ffi::idx_t,
            )
        };
        self.bound(state)
    }

    /// Gives the placeholder at an index (from 1) NULL.
    pub fn bind_null(&self, index: u64) -> Result<(), Refusal> {
        // SAFETY: DuckDB checks the index.
        let state = unsafe { library::duckdb_bind_null(self.statement, index) };
        self.bound(state)
    }

    fn bound(&self, state: ffi::duckdb_state) -> Result<(), Refusal> {
        if state == ffi::DuckDBSuccess {
            return Ok(());
        }
        // SAFETY: the statement was prepared.
        let message = unsafe { text(library::duckdb_prepare_error(self.statement)) };
        Err(message.unwrap_or_else(|| "a value cannot be bound".to_owned()))
    }

    /// Runs the statement. A streamed result is computed while it is fetched.
    pub fn run(&self, streaming: bool) -> Result<ResultSet<'session>, Refusal> {
        // SAFETY: the statement was prepared; an all-zero result is what DuckDB expects to fill; it must be
        // destroyed in any case, which its owner does.
        unsafe {
            let mut result = ResultSet { _session: self._session, result: std::mem::zeroed() };
            let state = if streaming {
                library::duckdb_execute_prepared_streaming(self.statement, &mut result.result)
            } else {
                library::duckdb_execute_prepared(self.statement, &mut result.result)
            };
            if state != ffi::DuckDBSuccess {
                return Err(result.error().unwrap_or_else(|| "the statement failed".to_owned()));
            }
            Ok(result)
        }
    }
}

impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        // SAFETY: destroyed once; null is allowed.
        unsafe { library::duckdb_destroy_prepare(&mut self.statement) }
    }
}

/// What a statement gives back.
pub struct ResultSet<'session> {
    _session: &'session Session,
    result: ffi::duckdb_result,
}

impl ResultSet<'_> {
    fn error(&mut self) -> Option<Refusal> {
        // SAFETY: the result was filled by DuckDB, or is zero.
        unsafe { text(library::duckdb_result_error(&mut self.result)) }
    }

    /// The names and types of the columns.
    pub fn columns(&mut self) -> Vec<(String, LogicalType)> {
        // SAFETY: the indexes are in range; the names belong to the result and are copied; the types are ours.
        unsafe {
            let count = library::duckdb_column_count(&mut self.result);
            (0..count)
                .map(|index| {
                    let name = text(library::duckdb_column_name(&mut self.result, index));
                    let kind = library::duckdb_column_logical_type(&mut self.result, index);
                    (name.unwrap_or_default(), LogicalType(kind))
                })
                .collect()
        }
    }

    /// The next rows; `None` at the end.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, Refusal> {
        // SAFETY: the result is alive; the chunk is ours.
        let chunk = Chunk(unsafe { library::duckdb_fetch_chunk(self.result) });
        if !chunk.0.is_null() {
            return Ok(if chunk.rows() == 0 { None } else { Some(chunk) });
        }
        match self.error() {
            Some(message) => Err(message),
            None => Ok(None),
        }
    }
}

impl Drop for ResultSet<'_> {
    fn drop(&mut self) {
        // SAFETY: destroyed once.
        unsafe { library::duckdb_destroy_result(&mut self.result) }
    }
}

/// Some rows of a result, column by column.
pub struct Chunk(ffi::duckdb_data_chunk);

impl Chunk {
    pub fn rows(&self) -> usize {
        // SAFETY: the chunk is alive.
        unsafe { library::duckdb_data_chunk_get_size(self.0) as usize }
    }

    /// The vector of the column at an index, which must be one of the result's. Lives as long as the chunk.
    pub fn vector(&self, column: usize) -> ffi::duckdb_vector {
        // SAFETY: the chunk is alive.
        unsafe { library::duckdb_data_chunk_get_vector(self.0, column as ffi::idx_t) }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: destroyed once; null is allowed.
        unsafe { library::duckdb_destroy_data_chunk(&mut self.0) }
    }
}

/// A type, with everything inside it.
pub struct LogicalType(ffi::duckdb_logical_type);

impl LogicalType {
    pub fn id(&self) -> ffi::duckdb_type {
        // SAFETY: the type is alive (here and below); its own id says which of the questions may be asked.
        unsafe { library::duckdb_get_type_id(self.0) }
    }

    /// Whether the type is this one, or has it inside.
    pub fn contains(&self, wanted: ffi::duckdb_type) -> bool {
        let among = |fields: Vec<(String, LogicalType)>| fields.iter().any(|(_, kind)| kind.contains(wanted));
        match self.id() {
            id if id == wanted => true,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_LIST => self.list_child().contains(wanted),
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_ARRAY => self.array_child().0.contains(wanted),
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_MAP => {
                let (key, value) = self.map_children();
                key.contains(wanted) || value.contains(wanted)
            }
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_STRUCT => among(self.struct_children()),
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_UNION => among(self.union_members()),
            _ => false,
        }
    }

    /// Whether its values can only be read by DuckDB itself.
    pub fn is_variant(&self) -> bool {
        self.contains(ffi::DUCKDB_TYPE_DUCKDB_TYPE_VARIANT)
    }

    /// The name it was given, as `JSON` is for text.
    pub fn alias(&self) -> Option<String> {
        unsafe { owned_text(library::duckdb_logical_type_get_alias(self.0)) }
    }

    pub fn decimal(&self) -> (u8, u8) {
        unsafe { (library::duckdb_decimal_width(self.0), library::duckdb_decimal_scale(self.0)) }
    }

    /// The integer type that stores a decimal.
    pub fn decimal_storage(&self) -> ffi::duckdb_type {
        unsafe { library::duckdb_decimal_internal_type(self.0) }
    }

    /// The integer type that stores an enum.
    pub fn enum_storage(&self) -> ffi::duckdb_type {
        unsafe { library::duckdb_enum_internal_type(self.0) }
    }

    pub fn enum_values(&self) -> Vec<String> {
        unsafe {
            let count = library::duckdb_enum_dictionary_size(self.0);
            (0..u64::from(count))
                .map(|index| {
                    owned_text(library::duckdb_enum_dictionary_value(self.0, index)).unwrap_or_default()
                })
                .collect()
        }
    }

    pub fn list_child(&self) -> LogicalType {
        LogicalType(unsafe { library::duckdb_list_type_child_type(self.0) })
    }

    pub fn array_child(&self) -> (LogicalType, usize) {
        unsafe {
            let size = library::duckdb_array_type_array_size(self.0);
            (LogicalType(library::duckdb_array_type_child_type(self.0)), size as usize)
        }
    }

    pub fn map_children(&self) -> (LogicalType, LogicalType) {
        unsafe {
            let key = library::duckdb_map_type_key_type(self.0);
            (LogicalType(key), LogicalType(library::duckdb_map_type_value_type(self.0)))
        }
    }

    pub fn struct_children(&self) -> Vec<(String, LogicalType)> {
        unsafe {
            (0..library::duckdb_struct_type_child_count(self.0))
                .map(|index| {
                    let name = owned_text(library::duckdb_struct_type_child_name(self.0, index));
                    let child = library::duckdb_struct_type_child_type(self.0, index);
                    (name.unwrap_or_default(), LogicalType(child))
                })
                .collect()
        }
    }

    pub fn union_members(&self) -> Vec<(String, LogicalType)> {
        unsafe {
            (0..library::duckdb_union_type_member_count(self.0))
                .map(|index| {
                    let name = owned_text(library::duckdb_union_type_member_name(self.0, index));
                    let child = library::duckdb_union_type_member_type(self.0, index);
                    (name.unwrap_or_default(), LogicalType(child))
                })
                .collect()
        }
    }
}

impl Drop for LogicalType {
    fn drop(&mut self) {
        // SAFETY: destroyed once; null is allowed.
        unsafe { library::duckdb_destroy_logical_type(&mut self.0) }
    }
}

/// Text for DuckDB, which ends at the first NUL.
fn c_string(text: &str) -> Result<CString, Refusal> {
    CString::new(text).map_err(|error| {
        let before = &text[..error.nul_position()];
        let line = before.matches('\n').count() + 1;
        format!("there is a NUL character in line {line} of the text for DuckDB")
    })
}

/// Copies text that belongs to DuckDB.
///
/// SAFETY: the pointer is null or points at a C string.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

/// Copies text that DuckDB handed over, and frees it.
///
/// SAFETY: the pointer is null or points at a C string from DuckDB's allocator that nobody else frees.
unsafe fn owned_text(pointer: *mut c_char) -> Option<String> {
    let copy = unsafe { text(pointer) };
    unsafe { library::duckdb_free(pointer.cast()) };
    copy
}
