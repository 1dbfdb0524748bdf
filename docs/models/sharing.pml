/* SPDX-License-Identifier: Apache-2.0
 *
 * Two graph roots, A and B, on one image store I, and a third process whose graph root is I and whose image store is A, so
 * that locks are wanted in both orders. One layer P in I; each graph root may have one child over it. Any step may be the
 * last of a process: its locks go, and another process of that graph root goes on.
 *
 * What is modelled: LockSet.acquireTogether (wait for one lock only), DependentsPublisher (the registration is widened
 * before a child is recorded, and narrowed or withdrawn after it is gone), ForeignUses (a graph root that can be read is asked,
 * another one's registration is believed, also that of one whose path is not there: it may have moved). See docs/formats/dependents.md.
 *
 * Properties: no child without parent (assertions), no deadlock (no invalid end state).
 *
 * Broken on purpose, to see that the properties can fail:
 *   -DHOLD_AND_WAIT     each process takes its graph root's lock, then waits for the other one holding it
 *   -DRECORD_FIRST      the child is recorded before the registration is widened
 *   -DGONE_BY_PATH      a graph root whose path is not there is taken for gone
 *   -DNO_REGISTRATION   deletion looks at the own graph root only, as the reference does
 */
#define A 0
#define B 1
#define I 2

bool held[3];
bool parent = true;      /* P is in the image store */
bool child[2];           /* the graph root's records have a child of P */
bool registered[2];      /* its registration names it */

inline take(lock) { atomic { !held[lock] -> held[lock] = true } }
inline give(lock) { held[lock] = false }

inline together(one, two) {
#ifdef HOLD_AND_WAIT
  take(one);
  take(two);
#else
  first = one; second = two;
  do
  :: take(first);
     if
     :: atomic { !held[second] -> held[second] = true }; break
     :: else -> give(first); first = second; second = one + two - first
     fi
  od
#endif
}

inline release() { atomic { give(me); give(I) } }

/* The process dies here, or not. */
inline mayDie() {
  if
  :: skip
  :: release(); goto again
  fi
}

inline create() {
  if
  :: !child[me] && parent ->
#ifdef RECORD_FIRST
     child[me] = true; mayDie(); registered[me] = true
#else
     registered[me] = true; mayDie(); child[me] = true
#endif
  :: else
  fi
}

inline deleteChild() {
  child[me] = false; mayDie(); registered[me] = false
}

inline deleteParent() {
  if
  :: parent && !child[me] ->
#ifdef NO_REGISTRATION
     parent = false
#else
     if
     :: !registered[1 - me] -> parent = false                    /* not known, or it needs nothing */
     :: registered[1 - me] && !child[1 - me] -> parent = false   /* it can be read: its records decide */
     :: registered[1 - me] -> skip                               /* believed, or confirmed: refused */
#ifdef GONE_BY_PATH
     :: registered[1 - me] -> registered[1 - me] = false; parent = false   /* it has moved */
#endif
     fi
#endif
  :: else
  fi
}

/* Somebody loads the image again. */
inline load() { parent = true }

inline mount() { assert(!child[me] || parent) }

proctype GraphRoot(byte me) {
  byte first, second;
again:
  do
  :: together(me, I);
     mayDie();
     if
     :: true -> create()
     :: true -> deleteChild()
     :: true -> deleteParent()
     :: true -> load()
     :: true -> mount()
     fi;
     mayDie();
     /* Whatever was done, nobody's child has lost its parent. */
     assert(parent || (!child[A] && !child[B]));
     release()
  od
}

/* A store that names I as graph root and A as image store. */
proctype Swapped() {
  byte first, second;
  do
  :: together(I, A);
     atomic { give(I); give(A) }
  od
}

init { atomic { run GraphRoot(A); run GraphRoot(B); run Swapped() } }
