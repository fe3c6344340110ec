//! DuckDB's library: found and loaded when a database is first opened, because what the system's loader does for it takes
//! longer than commands that need none.
//!
//! It is looked for as a library that is linked would be: in `LD_LIBRARY_PATH`, in the folders that `build.rs` writes into
//! the program, and where the system has its libraries. With the feature `bundled` it is part of the program.

use std::ffi::{c_char, c_void};
use std::sync::OnceLock;

use libduckdb_sys as ffi;

use crate::error::{Error, Result};

static FUNCTIONS: OnceLock<Functions> = OnceLock::new();

/// Proof that the library is there, without which no database can be opened.
#[derive(Clone, Copy)]
pub struct Loaded(());

/// Loads the library, once.
///
/// # Errors
///
/// When there is none, or when it lacks a function that rbt needs.
pub fn load() -> Result<Loaded> {
    if FUNCTIONS.get().is_none() {
        let functions = Functions::find()?;
        // Two threads may have found the same.
        let _ = FUNCTIONS.set(functions);
    }
    Ok(Loaded(()))
}

fn functions() -> &'static Functions {
    // Whoever calls has something of a database, and `Database::open` wants to see `Loaded`.
    FUNCTIONS.get().expect("a database is open, so the library is loaded")
}

/// The library's C functions that rbt uses, each once: makes a table of pointers, which is filled by name, and a function
/// of the same name for each.
macro_rules! functions {
    ($($name:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)?;)*) => {
        struct Functions {
            $($name: unsafe extern "C" fn($($kind),*) $(-> $result)?,)*
        }

        // Holds the types against those of the bindings, without a call for which the linker would want the library.
        const _: () = {
            $(let _: unsafe extern "C" fn($($kind),*) $(-> $result)? = ffi::$name;)*
        };

        impl Functions {
            #[cfg(feature = "bundled")]
            fn find() -> Result<Self> {
                Ok(Functions { $($name: ffi::$name,)* })
            }

            #[cfg(not(feature = "bundled"))]
            fn find() -> Result<Self> {
                let library = dynamic::open()?;
                // SAFETY: the functions have the types that the bindings give them.
                Ok(unsafe { Functions { $($name: library.function(stringify!($name))?,)* } })
            }
        }

        $(
            /// SAFETY: as DuckDB's header says for the function of this name.
            pub unsafe fn $name($($argument: $kind),*) $(-> $result)? {
                unsafe { (functions().$name)($($argument),*) }
            }
        )*
    };
}

functions! {
    duckdb_array_type_array_size(kind: ffi::duckdb_logical_type) -> ffi::idx_t;
    duckdb_array_type_child_type(kind: ffi::duckdb_logical_type) -> ffi::duckdb_logical_type;
    duckdb_array_vector_get_child(vector: ffi::duckdb_vector) -> ffi::duckdb_vector;
    duckdb_bind_null(statement: ffi::duckdb_prepared_statement, index: ffi::idx_t) -> ffi::duckdb_state;
    duckdb_bind_varchar_length(
        statement: ffi::duckdb_prepared_statement,
        index: ffi::idx_t,
        text: *const c_char,
        length: ffi::idx_t
    ) -> ffi::duckdb_state;
    duckdb_close(database: *mut ffi::duckdb_database);
    duckdb_column_count(result: *mut ffi::duckdb_result) -> ffi::idx_t;
    duckdb_column_logical_type(
        result: *mut ffi::duckdb_result,
        column: ffi::idx_t
    ) -> ffi::duckdb_logical_type;
    duckdb_column_name(result: *mut ffi::duckdb_result, column: ffi::idx_t) -> *const c_char;
    duckdb_connect(
        database: ffi::duckdb_database,
        connection: *mut ffi::duckdb_connection
    ) -> ffi::duckdb_state;
    duckdb_create_config(config: *mut ffi::duckdb_config) -> ffi::duckdb_state;
    duckdb_data_chunk_get_size(chunk: ffi::duckdb_data_chunk) -> ffi::idx_t;
    duckdb_data_chunk_get_vector(chunk: ffi::duckdb_data_chunk, column: ffi::idx_t) -> ffi::duckdb_vector;
    duckdb_decimal_internal_type(kind: ffi::duckdb_logical_type) -> ffi::duckdb_type;
    duckdb_decimal_scale(kind: ffi::duckdb_logical_type) -> u8;
    duckdb_decimal_width(kind: ffi::duckdb_logical_type) -> u8;
    duckdb_destroy_config(config: *mut ffi::duckdb_config);
    duckdb_destroy_data_chunk(chunk: *mut ffi::duckdb_data_chunk);
    duckdb_destroy_extracted(extracted_statements: *mut ffi::duckdb_extracted_statements);
    duckdb_destroy_logical_type(kind: *mut ffi::duckdb_logical_type);
    duckdb_destroy_prepare(statement: *mut ffi::duckdb_prepared_statement);
    duckdb_destroy_result(result: *mut ffi::duckdb_result);
    duckdb_disconnect(connection: *mut ffi::duckdb_connection);
    duckdb_enum_dictionary_size(kind: ffi::duckdb_logical_type) -> u32;
    duckdb_enum_dictionary_value(kind: ffi::duckdb_logical_type, index: ffi::idx_t) -> *mut c_char;
    duckdb_enum_internal_type(kind: ffi::duckdb_logical_type) -> ffi::duckdb_type;
    duckdb_execute_prepared(
        statement: ffi::duckdb_prepared_statement,
        result: *mut ffi::duckdb_result
    ) -> ffi::duckdb_state;
    duckdb_execute_prepared_streaming(
        statement: ffi::duckdb_prepared_statement,
        result: *mut ffi::duckdb_result
    ) -> ffi::duckdb_state;
    duckdb_extract_statements(
        connection: ffi::duckdb_connection,
        query: *const c_char,
        extracted_statements: *mut ffi::duckdb_extracted_statements
    ) -> ffi::idx_t;
    duckdb_extract_statements_error(
        extracted_statements: ffi::duckdb_extracted_statements
    ) -> *const c_char;
    duckdb_fetch_chunk(result: ffi::duckdb_result) -> ffi::duckdb_data_chunk;
    duckdb_free(pointer: *mut c_void);
    duckdb_from_date(date: ffi::duckdb_date) -> ffi::duckdb_date_struct;
    duckdb_from_time_tz(micros: ffi::duckdb_time_tz) -> ffi::duckdb_time_tz_struct;
    duckdb_get_type_id(kind: ffi::duckdb_logical_type) -> ffi::duckdb_type;
    duckdb_interrupt(connection: ffi::duckdb_connection);
    duckdb_list_type_child_type(kind: ffi::duckdb_logical_type) -> ffi::duckdb_logical_type;
    duckdb_list_vector_get_child(vector: ffi::duckdb_vector) -> ffi::duckdb_vector;
    duckdb_logical_type_get_alias(kind: ffi::duckdb_logical_type) -> *mut c_char;
    duckdb_map_type_key_type(kind: ffi::duckdb_logical_type) -> ffi::duckdb_logical_type;
    duckdb_map_type_value_type(kind: ffi::duckdb_logical_type) -> ffi::duckdb_logical_type;
    duckdb_nparams(statement: ffi::duckdb_prepared_statement) -> ffi::idx_t;
    duckdb_open_ext(
        path: *const c_char,
        database: *mut ffi::duckdb_database,
        config: ffi::duckdb_config,
        error: *mut *mut c_char
    ) -> ffi::duckdb_state;
    duckdb_prepare_error(statement: ffi::duckdb_prepared_statement) -> *const c_char;
    duckdb_prepare_extracted_statement(
        connection: ffi::duckdb_connection,
        extracted_statements: ffi::duckdb_extracted_statements,
        index: ffi::idx_t,
        prepared_statement: *mut ffi::duckdb_prepared_statement
    ) -> ffi::duckdb_state;
    duckdb_prepared_statement_column_count(statement: ffi::duckdb_prepared_statement) -> ffi::idx_t;
    duckdb_prepared_statement_column_logical_type(
        statement: ffi::duckdb_prepared_statement,
        column: ffi::idx_t
    ) -> ffi::duckdb_logical_type;
    duckdb_prepared_statement_column_name(
        statement: ffi::duckdb_prepared_statement,
        column: ffi::idx_t
    ) -> *const c_char;
    duckdb_prepared_statement_type(statement: ffi::duckdb_prepared_statement) -> ffi::duckdb_statement_type;
    duckdb_result_error(result: *mut ffi::duckdb_result) -> *const c_char;
    duckdb_set_config(
        config: ffi::duckdb_config,
        name: *const c_char,
        option: *const c_char
    ) -> ffi::duckdb_state;
    duckdb_string_t_data(string: *mut ffi::duckdb_string_t) -> *const c_char;
    duckdb_string_t_length(string: ffi::duckdb_string_t) -> u32;
    duckdb_struct_type_child_count(kind: ffi::duckdb_logical_type) -> ffi::idx_t;
    duckdb_struct_type_child_name(kind: ffi::duckdb_logical_type, index: ffi::idx_t) -> *mut c_char;
    duckdb_struct_type_child_type(
        kind: ffi::duckdb_logical_type,
        index: ffi::idx_t
    ) -> ffi::duckdb_logical_type;
    duckdb_struct_vector_get_child(vector: ffi::duckdb_vector, index: ffi::idx_t) -> ffi::duckdb_vector;
    duckdb_union_type_member_count(kind: ffi::duckdb_logical_type) -> ffi::idx_t;
    duckdb_union_type_member_name(kind: ffi::duckdb_logical_type, index: ffi::idx_t) -> *mut c_char;
    duckdb_union_type_member_type(
        kind: ffi::duckdb_logical_type,
        index: ffi::idx_t
    ) -> ffi::duckdb_logical_type;
    duckdb_vector_get_data(vector: ffi::duckdb_vector) -> *mut c_void;
    duckdb_vector_get_validity(vector: ffi::duckdb_vector) -> *mut u64;
}

#[cfg(not(feature = "bundled"))]
mod dynamic {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    use std::error::Error as _;

    use super::{Error, Result};

    /// The open library. It stays open to the end of the program, as others hold pointers into it.
    pub struct Library(&'static libloading::Library);

    pub fn open() -> Result<Library> {
        let name = format!("{DLL_PREFIX}duckdb{DLL_SUFFIX}");
        // macOS looks into the program's folders only for names that say so.
        let places = if cfg!(target_os = "macos") { &["@rpath/", ""][..] } else { &[""] };
        let mut refusals = Vec::new();
        for place in places {
            // SAFETY: what DuckDB does when it is loaded is to set up its own global values.
            match unsafe { libloading::Library::new(format!("{place}{name}")) } {
                Ok(library) => return Ok(Library(Box::leak(Box::new(library)))),
                Err(error) => refusals.push(reason(&error)),
            }
        }
        let missing = format!("DuckDB's library cannot be loaded\n{}", refusals.join("\n"));
        Err(Error::runtime(missing).help(format!(
            "put {name} of DuckDB 1.5 beside the program, or its folder into {}",
            if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" }
        )))
    }

    /// What the system's loader says.
    fn reason(error: &libloading::Error) -> String {
        error.source().map_or_else(|| error.to_string(), ToString::to_string)
    }

    impl Library {
        /// The function of a name.
        ///
        /// SAFETY: `F` is the type of a pointer to that function.
        pub unsafe fn function<F: Copy>(&self, name: &str) -> Result<F> {
            match unsafe { self.0.get::<F>(name) } {
                Ok(function) => Ok(*function),
                Err(error) => Err(Error::runtime(format!(
                    "DuckDB's library has no function {name}\n{}",
                    reason(&error)
                ))
                .help("it is of another version: rbt needs DuckDB 1.5")),
            }
        }
    }
}
