/*
 * Two views of consensus.md, exhaustively: four validators of equal stake, number 3 may do anything.
 * Each honest validator votes by the rules in any order and at any time; a certificate may be seen
 * late or never. Blocks: A and B of view 1 (its leader is faulty), C of view 2 on A, D on B, E on the
 * genesis. Agreement: what is final in view 1 is extended by whatever is notarized in view 2.
 *
 *   spin -a simplex.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m100000
 *   spin -DCARELESS -a simplex.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m100000
 *
 * The first explores everything without an error; the second, whose validators finalize what they
 * have nullified, stops with an assertion.
 */
#define HONEST 3
#define QUORUM 3
/* the faulty validator counts for every statement, since it may sign all of them */
#define CERT(count) (count + 1 >= QUORUM)

byte notA, notB, null1, finA, finB;       /* view 1: honest votes */
byte notC, notD, notE;                    /* view 2: blocks on A, on B, on the genesis */

inline safe() {
  assert(!(CERT(notA) && CERT(notB)));
  assert(!((CERT(finA) || CERT(finB)) && CERT(null1)));
  assert(!(CERT(finA) && (CERT(notD) || CERT(notE))));
  assert(!(CERT(finB) && (CERT(notC) || CERT(notE))));
}

active [HONEST] proctype validator() {
  bit voted1, voted2, nulled1, finalized1, knowsA, knowsB, knowsNull;

  do
  /* rule 2 in view 1, also after the own nullify vote; only while in it */
  :: atomic { !voted1 && !knowsA && !knowsB && !knowsNull -> voted1 = 1; if :: notA++ :: notB++ fi; safe() }
  /* rule 3, at any time while in the view */
  :: atomic { !nulled1 && !finalized1 && !knowsA && !knowsB && !knowsNull -> nulled1 = 1; null1++; safe() }
  /* certificates arrive, whenever they do */
  :: atomic { !knowsA && CERT(notA) -> knowsA = 1 }
  :: atomic { !knowsB && CERT(notB) -> knowsB = 1 }
  :: atomic { !knowsNull && CERT(null1) -> knowsNull = 1 }
  /* rule 4: notarized, executed (fetched, if need be), not nullified by this validator */
#ifdef CARELESS
  :: atomic { !finalized1 && knowsA -> finalized1 = 1; finA++; safe() }
  :: atomic { !finalized1 && knowsB -> finalized1 = 1; finB++; safe() }
#else
  :: atomic { !finalized1 && !nulled1 && knowsA -> finalized1 = 1; finA++; safe() }
  :: atomic { !finalized1 && !nulled1 && knowsB -> finalized1 = 1; finB++; safe() }
#endif
  /* rule 2 in view 2, entered on any certificate of view 1 */
  :: atomic { !voted2 && knowsA -> voted2 = 1; notC++; safe() }
  :: atomic { !voted2 && knowsB -> voted2 = 1; notD++; safe() }
  :: atomic { !voted2 && knowsNull -> voted2 = 1; notE++; safe() }
  :: break
  od
}
