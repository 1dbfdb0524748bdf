// SPDX-License-Identifier: Apache-2.0
package import StowageModel
internal import StowageSystem
internal import Synchronization
package import SystemPackage

/// A directory of one process under a common root, guarded by an instance lock (on-disk-format 13).
///
/// On disk: `<root>/lock-<n>` (mode 0600, locked while in use) and `<root>/temp-dir-<n>` (mode 0700). Items in it are
/// `<k>-addition` and `<k>-<name>`, k from 0. Content is built or put aside here, so that the rest of the store sees only
/// renames; after a crash the next process that gets the instance lock removes everything (``recover(root:)``).
///
/// The race of on-disk-format 20.20 is closed: the lock file is locked through the descriptor that created it, and it
/// counts only if the path still names the locked file.
package struct StagedDirectory: ~Copyable, Sendable {
  private let state: StagingState

  private init(_ state: StagingState) { self.state = state }

  /// Creates a staged directory under `root`, which is created too (mode 0700).
  ///
  /// - Parameter isTransient: whether the root goes with the last directory in it.
  package static func create(in root: FilePath, isTransient: Bool = false) throws(StorageError) -> StagedDirectory {
    StagedDirectory(try StagingState.create(in: root, isTransient: isTransient))
  }

  /// The directory itself, `<root>/temp-dir-<n>`.
  package var path: FilePath { state.path }

  /// The path for a new item, `<k>-addition`; nothing is created. The caller renames it out when it is complete.
  package func addition() -> FilePath { state.nextItem("addition") }

  /// Moves `path` here for removal as `<k>-<name>`.
  ///
  /// - Returns: false if there was nothing at the path.
  /// - Throws: `system`; `EXDEV` if it is not on the same mount.
  @discardableResult
  package func stageForRemoval(_ path: FilePath) throws(StorageError) -> Bool {
    try state.stageForRemoval(path) != nil
  }

  /// Removes the directory with all that is left in it, then the lock file while it is still locked.
  ///
  /// If an error is thrown, the rest is removed by a later ``recover(root:)``.
  package consuming func discard() throws(StorageError) { try state.discard() }

  /// Ends the use after everything was moved out; the same as ``discard()``.
  package consuming func finish() throws(StorageError) { try state.discard() }

  /// Removes what processes that are gone left under `root`.
  ///
  /// Directories whose lock is held are skipped, entries with other names are left alone. Mounts inside are detached.
  /// What cannot be removed is logged and reported; it never prevents the use of the store (on-disk-format 20.34).
  ///
  /// - Parameter isTransient: whether the root goes, too, if nothing is left in it.
  /// - Returns: the failures, empty normally.
  @discardableResult
  package static func recover(root: FilePath, isTransient: Bool = false) -> [StorageError] {
    let failures = StagingState.recover(root: root)
    if isTransient { StagingState.removeIfEmpty(root) }
    return failures
  }
}

/// Bins for trees that are deleted after the locks are released, at most one per root.
///
/// Removal from the store is a rename into a bin; the slow deletion follows in ``empty()``. After a crash the next process
/// empties the bins.
package struct DeferredRemoval: ~Copyable, Sendable {
  /// Something in a bin.
  package struct Item: Hashable, Sendable {
    /// Where it was.
    package let origin: FilePath
    /// Where it waits for its deletion.
    package let place: FilePath
  }

  private var bins: [FilePath: StagingState] = [:]
  /// Directories that something was moved out of, whose entries may still come back after a power cut.
  private var unflushed: Set<FilePath> = []
  /// Everything in the bins, in the order it came.
  package private(set) var items: [Item] = []

  /// No bins yet.
  package init() {}

  /// Moves `path` into the bin under `root`, which must be on the same mount; what is no directory may be on another one, and
  /// is gone at once then.
  ///
  /// - Returns: false if there was nothing at the path.
  @discardableResult
  package mutating func add(_ path: FilePath, bin root: FilePath) throws(StorageError) -> Bool {
    // Without this test every deletion of a missing path would leave an empty bin to clean up.
    guard try HostFiles.exists(path, followingLinks: false) else { return false }
    let bin: StagingState
    if let known = bins[root] { bin = known } else { bin = try StagingState.create(in: root) }
    bins[root] = bin
    unflushed.insert(path.removingLastComponent())
    do throws(StorageError) {
      guard let place = try bin.stageForRemoval(path) else { return false }
      items.append(Item(origin: path, place: place))
    } catch {
      guard error.errno == .improperLink, try HostFiles.status(path, followingLinks: false)?.isDirectory == false else {
        throw error
      }
      do throws(Errno) { try Syscall.unlink(path) } catch { throw .failed("unlink", path, error) }
      items.append(Item(origin: path, place: path))
    }
    return true
  }

  /// Makes sure that nothing that was moved comes back after a power cut: what a record does not name any more must be gone
  /// before the record says so.
  package mutating func flush() throws(StorageError) {
    for directory in unflushed.sorted(by: { $0.string < $1.string }) {
      // A directory that was moved itself later has no entries to come back.
      if try HostFiles.exists(directory, followingLinks: false) { try AtomicFile.syncDirectory(directory) }
    }
    unflushed.removeAll()
  }

  /// True if nothing was added.
  package var isEmpty: Bool { bins.isEmpty }

  /// Deletes everything; to be called after the locks are released.
  ///
  /// - Throws: the first failure, after all bins were tried. The rest is left to recovery.
  package consuming func empty() throws(StorageError) {
    var first: StorageError?
    for bin in bins.values {
      do throws(StorageError) { try bin.discard() } catch { first = first ?? error }
    }
    if let first { throw first }
  }
}

/// The shared state behind ``StagedDirectory`` and ``DeferredRemoval``; discards itself when forgotten.
final class StagingState: Sendable {
  let path: FilePath
  private let lockPath: FilePath
  /// Whether the root goes with the last directory in it.
  private let isTransient: Bool
  private let counter = Atomic<Int>(0)
  private let isDiscarded = Atomic<Bool>(false)
  /// Holds the instance lock as long as it is open.
  private let lock: SharedDescriptor

  private init(path: FilePath, lockPath: FilePath, isTransient: Bool, lock: consuming OwnedDescriptor) {
    self.path = path
    self.lockPath = lockPath
    self.isTransient = isTransient
    self.lock = SharedDescriptor(lock)
  }

  deinit {
    do throws(StorageError) { try discard() } catch { Log.warning("\(error.message)") }
  }

  static func create(in root: FilePath, isTransient: Bool = false) throws(StorageError) -> StagingState {
    var attempts = 0
    while true {
      // Another process may remove a transient one in between, until there is something in it.
      if attempts == 0 || isTransient { try makeDirectories(root, mode: 0o700) }
      let number = UInt32.random(in: .min ... .max)
      let lockPath = root.appending("lock-\(number)")
      let path = root.appending("temp-dir-\(number)")
      do throws(Errno) {
        let lock = try Syscall.open(lockPath, [.readWrite, .create, .exclusive], mode: 0o600)
        // A recoverer may have got the lock first; then the file is about to vanish: take another number.
        if try lockInstance(lock.rawValue, lockPath) {
          do throws(Errno) { try Syscall.mkdir(path, mode: 0o700) } catch {
            try? Syscall.unlink(lockPath)
            throw error
          }
          return StagingState(path: path, lockPath: lockPath, isTransient: isTransient, lock: lock)
        }
      } catch {
        attempts += 1
        let isRetried = error == .fileExists || isTransient && error == .noSuchFileOrDirectory
        if !isRetried || attempts > 1000 { throw .failed("mkdir", path, error) }
        continue
      }
      attempts += 1
      if attempts > 1000 { throw .failed("lock", lockPath, .resourceTemporarilyUnavailable) }
    }
  }

  func nextItem(_ suffix: String) -> FilePath {
    path.appending("\(counter.add(1, ordering: .relaxed).oldValue)-\(suffix)")
  }

  /// - Returns: the new place; nil if there was nothing.
  func stageForRemoval(_ victim: FilePath) throws(StorageError) -> FilePath? {
    let target = nextItem(victim.lastComponent?.string ?? "item")
    do throws(Errno) { try Syscall.rename(victim, target) } catch {
      if error == .noSuchFileOrDirectory && !Syscall.exists(victim) { return nil }
      throw .failed("rename", victim, target, error)
    }
    return target
  }

  func discard() throws(StorageError) {
    if isDiscarded.exchange(true, ordering: .sequentiallyConsistent) { return }
    try removeTree(path)
    // Still locked: nobody can mistake the number for a live one.
    try Self.unlinkIfPresent(lockPath)
    if isTransient { Self.removeIfEmpty(lockPath.removingLastComponent()) }
  }

  /// Removes a root that nobody uses.
  static func removeIfEmpty(_ root: FilePath) {
    // One that is not there, or is used, or cannot be read stays as it is.
    guard (try? Syscall.directoryNames(root))?.isEmpty == true else { return }
    // Somebody may use it again by now; else an empty directory stays, which harms nobody.
    try? Syscall.rmdir(root)
  }

  static func recover(root: FilePath) -> [StorageError] {
    // A directory that is not there has nothing to recover.
    guard let names = try? Syscall.directoryNames(root) else { return [] }
    var numbers: [[UInt8]] = []
    for name in names {
      for prefix in ["temp-dir-", "lock-"] where name.starts(with: prefix.utf8) {
        let number = Array(name.dropFirst(prefix.utf8.count))
        let isDecimal = !number.isEmpty && number.allSatisfy { (0x30...0x39).contains($0) }
        if isDecimal && !numbers.contains(number) { numbers.append(number) }
      }
    }
    var failures: [StorageError] = []
    for number in numbers {
      let text = String(decoding: number, as: UTF8.self)
      do throws(StorageError) { try recover(root, number: text) } catch {
        Log.warning("stale temporary directory is left: \(error.message)")
        failures.append(error)
      }
    }
    return failures
  }

  private static func recover(_ root: FilePath, number: String) throws(StorageError) {
    let lockPath = root.appending("lock-\(number)")
    let lock = try StoreFile.open(lockPath, [.readWrite, .create], mode: 0o644)
    let isMine = try attempt("lock", lockPath) { () throws(Errno) in try lockInstance(lock.rawValue, lockPath) }
    if !isMine { return }
    try removeTree(root.appending("temp-dir-\(number)"))
    try unlinkIfPresent(lockPath)
  }

  /// Locks an instance file; false if it is in use, or if the path no longer names the locked file.
  private static func lockInstance(_ descriptor: CInt, _ path: FilePath) throws(Errno) -> Bool {
    guard try Syscall.setlk(descriptor, .write) else { return false }
    let locked = try Syscall.fstat(descriptor)
    do throws(Errno) { return try Syscall.lstat(path).isSameFile(as: locked) } catch {
      if error == .noSuchFileOrDirectory { return false }
      throw error
    }
  }

  private static func unlinkIfPresent(_ path: FilePath) throws(StorageError) {
    do throws(Errno) { try Syscall.unlink(path) } catch {
      if error != .noSuchFileOrDirectory { throw .failed("unlink", path, error) }
    }
  }
}
