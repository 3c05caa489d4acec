/** Validators in a set: DESIGN's bound; the bitmap of a certificate is then at most 16 bytes. */
export const VALIDATORS_MAX = 128

/** BLS12-381 signature in G2, compressed (minPk). */
export const SIGNATURE_BYTES = 96

export const HASH_BYTES = 32

/** A vote is about 180 bytes of dag-cbor; anything longer is refused before it is parsed. */
export const VOTE_BYTES_MAX = 512

/** A certificate is about 200 bytes plus the bitmap. */
export const CERTIFICATE_BYTES_MAX = 512

/**
 * Views ahead of the current one whose votes and proposals are kept. Honest validators are at most
 * a few views apart; whoever is further behind learns from certificates, which jump any distance.
 */
export const VIEWS_AHEAD_MAX = 16

/** Certificates in a proposal. A longer gap of nullified views is closed with `requestCertificates`. */
export const JUSTIFICATION_MAX = 64

/** Certificates in one answer to a peer, about 50 KiB at 128 validators. */
export const CERTIFICATES_PER_ANSWER_MAX = 256

/** Missing ancestors closer than this are fetched one by one; beyond it a range sync is cheaper. */
export const SYNC_HEIGHTS_MIN = 8

/** A validator that sent an invalid signature is not listened to for this many views. */
export const BARRED_VIEWS = 64

/** A block named by a fresh certificate is usually still on its way: wait this long before asking for it. */
export const REQUEST_DELAY_MS = 200

/** Validators to try for one block. */
export const REQUEST_PEERS_MAX = 8

/**
 * A step that comes this much later than it was due means that this machine slept, not that the leader did.
 * Then, once per view, the messages that queued up meanwhile get GRACE_MS before the view is given up.
 */
export const LATE_MS = 1_000
export const GRACE_MS = 500

/**
 * Turns of a leader without a lost one before its measured times count. Whoever votes quickly to make
 * waits short, and then not at all, costs a leader one turn in so many, and only if the rest of the
 * network is slower than the least wait.
 */
export const MEASURED_TURNS_MIN = 4

/**
 * Validators that gossip a certificate as soon as they have it; they rotate with the view. All 128
 * would send the same thing 128 times, and one could be faulty: at a third of faulty validators eight
 * are all faulty once in 6,500 views, and then the rebroadcast after `rebroadcastMs` does it.
 */
export const RELAYERS = 8

/**
 * Rebroadcasts without effect after which others are asked for certificates: in a view that lasts, or
 * while views go by and nothing is final.
 */
export const PATIENT_REBROADCASTS = 3

export const DEFAULT_TIMEOUTS = {
  minBlockIntervalBusyMs: 250,
  minBlockIntervalMs: 1_000,
  // machines train models beside this: seconds of scheduling delay are normal and must not cost a view
  leaderTimeoutMs: 4_000,
  // counted from the proposal; a full block executes in well under a second, on a busy machine in a few
  certificationTimeoutMs: 4_000,
  timeoutMaxMs: 20_000,
  // longer than `rebroadcastMs`, so that one lost certificate is repeated before views are given up for it,
  // and than twice the pause of an idle leader
  timeoutMinMs: 2_500,
  // a machine that comes back is slow at first; a dead one costs as much as an idle leader's pause
  silentTimeoutMs: 1_000,
  // longer than a leader's idle pause, or every idle view would say everything twice
  rebroadcastMs: 2_000,
  requestMs: 1_000
}
