//! Who lives in the invented world: artists, their albums and their tracks, by hand. All are made up.
//!
//! The awkward cases of the real API are here on purpose: release dates with only a year or a month, an artist
//! without genres, quotes, commas, emoji and scripts other than Latin in names, tracks of several artists, and albums
//! that come out while somebody is watching. What is not here (ids, durations, popularity) follows from the seed.

/// An artist of the world.
pub(super) struct Artist {
    pub(super) name: &'static str,
    pub(super) genres: &'static [&'static str],
    /// The popularity around which the artist's moves.
    pub(super) fame: u32,
    /// The followers on the world's first day.
    pub(super) followers: u64,
    /// How many followers come in a week.
    pub(super) weekly_growth: u64,
    pub(super) albums: &'static [Album],
}

/// An album of the artist under which it stands.
pub(super) struct Album {
    pub(super) title: &'static str,
    /// `album`, `single` or `compilation`.
    pub(super) kind: &'static str,
    /// A year, a month or a day, as in `1974`, `1981-10`, `2026-01-04`.
    pub(super) released: &'static str,
    pub(super) label: &'static str,
    pub(super) tracks: &'static [Track],
}

/// A track of the album under which it stands.
pub(super) struct Track {
    pub(super) title: &'static str,
    /// The names of the artists beside the album's own.
    pub(super) guests: &'static [&'static str],
    pub(super) explicit: bool,
}

const fn track(title: &'static str) -> Track {
    Track { title, guests: &[], explicit: false }
}

const fn explicit(title: &'static str) -> Track {
    Track { title, guests: &[], explicit: true }
}

const fn duet(title: &'static str, guests: &'static [&'static str]) -> Track {
    Track { title, guests, explicit: false }
}

const MARZIPAN: &str = "Marzipan Lighthouse";
const RELOJES: &str = "Los Relojes Lentos";
const KITAKAZE: &str = "北風オルゴール";
const BRANDVOLD: &str = "Otto \"Two Keys\" Brandvold";
const CARTOGRAPHERS: &str = "The Tuesday Cartographers";
const QUILLON: &str = "Nadja Quillon";

pub(super) const ARTISTS: &[Artist] = &[
    Artist {
        name: MARZIPAN,
        genres: &["dream pop", "indie pop"],
        fame: 78,
        followers: 2_418_336,
        weekly_growth: 9_100,
        albums: &[
            Album {
                title: "Harbour of Sugar",
                kind: "album",
                released: "2019-05-17",
                label: "Paper Anchor",
                tracks: &[
                    track("Harbour of Sugar"),
                    track("Gulls, Gulls, Gulls"),
                    track("Lamp Room"),
                    track("What the Keeper Ate"),
                    track("Low Tide Waltz"),
                ],
            },
            Album {
                title: "Fog Machine Weather",
                kind: "album",
                released: "2023-09-29",
                label: "Paper Anchor",
                tracks: &[
                    track("Fog Machine Weather"),
                    explicit("Rent in Candy"),
                    track("Every Ship Is Late"),
                    duet("Postcard to a Cartographer", &[CARTOGRAPHERS]),
                    track("Semaphore"),
                ],
            },
            Album {
                title: "Sunburn 🌞 Season",
                kind: "single",
                released: "2025-06-20",
                label: "Paper Anchor",
                tracks: &[duet("Sunburn 🌞 Season", &[RELOJES])],
            },
            Album {
                title: "Slow Ferry",
                kind: "single",
                released: "2026-01-04",
                label: "Paper Anchor",
                tracks: &[track("Slow Ferry")],
            },
        ],
    },
    Artist {
        name: RELOJES,
        genres: &["cumbia", "latin alternative", "tropicália lenta"],
        fame: 88,
        followers: 31_870_442,
        weekly_growth: 121_000,
        albums: &[
            Album {
                title: "Siesta Mecánica",
                kind: "album",
                released: "2021-02-26",
                label: "Discos del Mediodía",
                tracks: &[
                    track("Siesta Mecánica"),
                    explicit("Tres y Cuarto"),
                    track("¿Quién Paró el Reloj?"),
                    track("Arena en los Zapatos"),
                    track("Mañana, Mañana"),
                ],
            },
            Album {
                title: "Péndulo",
                kind: "album",
                released: "2024-11-08",
                label: "Discos del Mediodía",
                tracks: &[
                    track("Péndulo"),
                    explicit("Minutero"),
                    duet("Doce Campanas", &[QUILLON]),
                    track("Cuerda Floja"),
                ],
            },
            Album {
                title: "Agua y Arena",
                kind: "single",
                released: "2025-09",
                label: "Discos del Mediodía",
                tracks: &[track("Agua y Arena")],
            },
        ],
    },
    Artist {
        name: KITAKAZE,
        genres: &["j-pop"],
        fame: 66,
        followers: 604_215,
        weekly_growth: 2_300,
        albums: &[
            Album {
                title: "硝子の駅",
                kind: "album",
                released: "2017-12",
                label: "ゆきどけ Records",
                tracks: &[track("硝子の駅"), track("始発まで"), track("白い改札"), track("Platform 0")],
            },
            Album {
                title: "雪のねじまき",
                kind: "album",
                released: "2022-01-26",
                label: "ゆきどけ Records",
                tracks: &[
                    track("雪のねじまき"),
                    track("北の窓"),
                    track("Aurora, はじめまして"),
                    track("冬眠のワルツ"),
                ],
            },
            Album {
                title: "Two Keys in the Snow",
                kind: "single",
                released: "2025-11-21",
                label: "ゆきどけ Records",
                tracks: &[duet("Two Keys in the Snow", &[BRANDVOLD])],
            },
        ],
    },
    Artist {
        name: BRANDVOLD,
        genres: &[],
        fame: 41,
        followers: 8_127,
        weekly_growth: 3,
        albums: &[
            Album {
                title: "Songs for \"Nobody\", Vol. 1",
                kind: "album",
                released: "1974",
                label: "Cellar, Tapes & Sons",
                tracks: &[track("Nobody's Prelude"), track("The \"Other\" Key"), track("Rain, Mostly")],
            },
            Album {
                title: "Live in a Very Small Room",
                kind: "compilation",
                released: "1981-10",
                label: "Cellar, Tapes & Sons",
                tracks: &[track("Rain, Mostly (Live)"), track("Applause of Four")],
            },
        ],
    },
    Artist {
        name: CARTOGRAPHERS,
        genres: &["alternative rock", "post-punk"],
        fame: 73,
        followers: 1_290_774,
        weekly_growth: 1_450,
        albums: &[
            Album {
                title: "Maps of Places That Moved",
                kind: "album",
                released: "2011-04-04",
                label: "Contour Line",
                tracks: &[
                    track("North Is Negotiable"),
                    explicit("Coastline Paradox"),
                    track("Here Be Accountants"),
                    track("Legend"),
                ],
            },
            Album {
                title: "Compass, Broken",
                kind: "single",
                released: "2025-03-14",
                label: "Contour Line",
                tracks: &[duet("Compass, Broken", &[QUILLON, MARZIPAN]), track("Compass, Mended")],
            },
        ],
    },
    // A guest only: tracks name her, and nobody asks for her own.
    Artist {
        name: QUILLON,
        genres: &["art pop"],
        fame: 52,
        followers: 48_903,
        weekly_growth: 260,
        albums: &[],
    },
];
