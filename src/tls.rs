//! The cryptography of all connections.

/// Makes `ring` the cryptography of rustls. To be called before a client is made; later calls change nothing.
pub fn install() {
    // It fails if one is installed, which is then this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
