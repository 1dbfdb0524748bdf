// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import StowageModel
internal import StowageSystem
internal import Synchronization
internal import SystemPackage

/// The state of one lock file in this process, shared by everyone who uses that file.
///
/// Readers of this process share one descriptor and one file lock; a writer excludes all others in the process. A waiting
/// writer keeps new readers out. `@unchecked Sendable`: `monitor` guards all variables; `descriptor` is also read by
/// holders of the lock, while it cannot change.
final class LockCore: @unchecked Sendable {
  let path: FilePath
  let isReadOnly: Bool
  private let monitor = LockMonitor()
  private var readers = 0
  private var hasWriter = false
  /// The first reader is waiting for the file lock.
  private var isAcquiring = false
  private var waitingWriters = 0
  private var descriptor: CInt = -1

  init(path: FilePath, isReadOnly: Bool) {
    self.path = path
    self.isReadOnly = isReadOnly
  }

  /// Takes the lock; false if it was not free in time. A nil deadline waits for ever.
  func acquire(_ kind: LockKind, wait: LockWait) throws(StorageError) -> Bool {
    kind == .read ? try acquireRead(wait) : try acquireWrite(wait)
  }

  private func acquireRead(_ wait: LockWait) throws(StorageError) -> Bool {
    monitor.lock()
    while hasWriter || isAcquiring || waitingWriters > 0 {
      // A non-blocking attempt may still join readers that hold the lock.
      if wait.isImmediate && readers > 0 && !hasWriter && !isAcquiring { break }
      if !pause(wait) {
        monitor.unlock()
        return false
      }
    }
    if readers > 0 {
      readers += 1
      monitor.unlock()
      return true
    }
    isAcquiring = true
    monitor.unlock()
    let result = openAndLock(.read, wait)
    monitor.lock()
    isAcquiring = false
    let locked = install(result) { readers = 1 }
    monitor.broadcast()
    monitor.unlock()
    return try locked.get()
  }

  private func acquireWrite(_ wait: LockWait) throws(StorageError) -> Bool {
    monitor.lock()
    waitingWriters += 1
    while hasWriter || isAcquiring || readers > 0 {
      if !pause(wait) {
        waitingWriters -= 1
        monitor.broadcast()
        monitor.unlock()
        return false
      }
    }
    waitingWriters -= 1
    hasWriter = true
    monitor.unlock()
    let result = openAndLock(.write, wait)
    monitor.lock()
    hasWriter = false
    let locked = install(result) { hasWriter = true }
    monitor.broadcast()
    monitor.unlock()
    return try locked.get()
  }

  /// Gives up one hold; the last one releases the file lock and closes the descriptor.
  ///
  /// Closing alone would not do: until it executes its program, a process that another thread starts has a copy.
  func release(_ kind: LockKind) {
    monitor.lock()
    if kind == .write { hasWriter = false } else { readers -= 1 }
    if readers == 0 && !hasWriter {
      // Still under the monitor: nobody in this process may take the lock between the two.
      if descriptor >= 0 {
        try? Syscall.unlock(descriptor)
        _ = Glibc.close(descriptor)
      }
      descriptor = -1
    }
    monitor.broadcast()
    monitor.unlock()
  }

  /// The mark of the last writer. Only for holders.
  func lastWrite() throws(StorageError) -> LastWrite {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: LastWrite.size, alignment: 8)
    defer { buffer.deallocate() }
    let count = try attempt("read", path) { () throws(Errno) in try Syscall.pread(descriptor, into: buffer, at: 0) }
    return LastWrite(bytes: Array(buffer[..<count]))
  }

  /// Leaves a fresh mark; the tail of a longer file stays. Only for the writer.
  func recordWrite() throws(StorageError) -> LastWrite {
    let mark = LastWrite.fresh()
    let failure: Errno? = mark.bytes.withUnsafeBytes { bytes in
      do throws(Errno) {
        try SystemHook.step("pwrite", path.string)
        try Syscall.pwrite(descriptor, all: bytes, at: 0)
        return nil
      } catch { return error }
    }
    if let failure { throw .failed("write", path, failure) }
    return mark
  }

  private func pause(_ wait: LockWait) -> Bool {
    switch wait {
    case .never: false
    case .forever: monitor.wait(until: nil)
    case .until(let time): monitor.wait(until: time) && !hasPassed(time)
    }
  }

  private func install(
    _ result: Result<CInt?, StorageError>, _ success: () -> Void
  ) -> Result<Bool, StorageError> {
    switch result {
    case .success(.some(let opened)):
      descriptor = opened
      success()
      return .success(true)
    case .success(.none): return .success(false)
    case .failure(let error): return .failure(error)
    }
  }

  private func openAndLock(_ kind: LockKind, _ wait: LockWait) -> Result<CInt?, StorageError> {
    do throws(StorageError) {
      let file = try openLockFile(path, readOnly: isReadOnly)
      let descriptor = file.rawValue
      let locked = try attempt("lock", path) { () throws(Errno) in try wait.lock(descriptor, kind, path) }
      return .success(locked ? file.release() : nil)
    } catch { return .failure(error) }
  }
}

/// How long an acquisition may wait.
enum LockWait {
  case never
  case forever
  case until(timespec)

  var isImmediate: Bool { if case .never = self { true } else { false } }

  /// Takes the file lock; false if it was not free in time.
  func lock(_ descriptor: CInt, _ kind: LockKind, _ path: FilePath) throws(Errno) -> Bool {
    if try Syscall.setlk(descriptor, kind) { return true }
    switch self {
    case .never: return false
    case .forever:
      let watch = LockWatch.start(path)
      defer { watch?.stop() }
      try Syscall.setlkw(descriptor, kind)
      return true
    case .until(let time):
      let watch = LockWatch.start(path)
      defer { watch?.stop() }
      // The kernel has no lock call with a time limit: look again after 1, 2, 4 … 32 milliseconds.
      var pause: useconds_t = 1000
      while !hasPassed(time) {
        usleep(pause)
        pause = min(pause * 2, 32000)
        if try Syscall.setlk(descriptor, kind) { return true }
      }
      return false
    }
  }
}

/// Opens a lock file (on-disk-format 8.1). For writing, a missing file and its missing parent (mode 0700) are created;
/// whoever only reads does not leave anything in a store that is not its own.
func openLockFile(_ path: FilePath, readOnly: Bool) throws(StorageError) -> OwnedDescriptor {
  let flags: OpenFlags = readOnly ? [.readOnly] : [.readWrite, .create]
  do throws(StorageError) { return try StoreFile.open(path, flags, mode: 0o644) } catch {
    guard error.errno == .noSuchFileOrDirectory, !readOnly else { throw error }
    try makeDirectories(path.removingLastComponent(), mode: 0o700)
    return try StoreFile.open(path, flags, mode: 0o644)
  }
}
