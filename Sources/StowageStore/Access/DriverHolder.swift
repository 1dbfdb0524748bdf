// SPDX-License-Identifier: Apache-2.0

internal import StowageConfig
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import Synchronization
internal import SystemPackage

/// The driver of a store, made under `storage.lock`, and made anew when another process has shut the store down.
///
/// Source: on-disk-format 9 (storage lock).
final class DriverHolder: Sendable {
  /// `nil` for a store that can only be read and has no such file.
  private let lock: LockFile?
  /// How `lock` is taken for the driver's set-up.
  private let kind: LockKind
  private let timeout: Duration?
  private let make: @Sendable () throws(StorageError) -> any GraphDriver
  private let state: Mutex<State>

  private struct State: Sendable {
    var driver: any GraphDriver
    /// `nil` without a lock.
    var token: LastWrite?
  }

  /// Makes the driver for the first time.
  init(_ options: StoreOptions, _ roots: StoreRoots, _ factory: @escaping DriverFactory) throws(StorageError) {
    var isPresent = true
    if roots.isReadOnly { isPresent = try LockFile.isPresent(roots.storageLock) }
    lock = isPresent ? try LockFile.open(roots.storageLock, readOnly: roots.isReadOnly) : nil
    kind = roots.isReadOnly ? .read : .write
    timeout = options.lockTimeout
    let context = DriverContext(
      graphRoot: roots.graphRoot, runRoot: roots.runRoot, imageStore: roots.imageStore,
      options: options.driverOptions, inUserNamespace: isInUserNamespace, isReadOnly: roots.isReadOnly)
    let name = options.driverName
    let priority = options.driverPriority
    make = { () throws(StorageError) -> any GraphDriver in try factory(name, priority, context) }
    guard let lock else {
      state = Mutex(State(driver: try make(), token: nil))
      return
    }
    let held = try lock.acquire(kind, timeout: timeout)
    let token = try held.lastWrite()
    state = Mutex(State(driver: try make(), token: token))
    held.release()
  }

  /// The driver, after a short look whether another process has shut the store down.
  func current() throws(StorageError) -> any GraphDriver {
    guard let lock else { return state.withLock { $0.driver } }
    let held = try lock.acquire(.read, timeout: timeout)
    let token = try held.lastWrite()
    held.release()
    if let driver = state.withLock({ $0.token == token ? $0.driver : nil }) { return driver }
    let hold = try hold()
    hold.release()
    return hold.driver
  }

  /// Takes `storage.lock` exclusively, as everything must that mounts or shuts down; shared if the store can only be read.
  func hold() throws(StorageError) -> DriverHold {
    guard let lock else { return DriverHold(state.withLock { $0.driver }) }
    let held = try lock.acquire(kind, timeout: timeout)
    let token = try held.lastWrite()
    let driver = try state.withLock { (state) throws(StorageError) -> any GraphDriver in
      if state.token == token { return state.driver }
      let driver = try make()
      let (old, new) = (state.driver.traits.name, driver.traits.name)
      if old != new {
        throw StorageError(
          .system, "graph driver name changed from \(goQuoted(old)) to \(goQuoted(new)) during reload")
      }
      state = State(driver: driver, token: token)
      return driver
    }
    return DriverHold(driver, held)
  }
}

/// `storage.lock`, held exclusively, and the driver that nobody shuts down meanwhile.
struct DriverHold: Sendable {
  /// The driver.
  let driver: any GraphDriver
  private let lock: LockHold?

  fileprivate init(_ driver: any GraphDriver) {
    self.driver = driver
    lock = nil
  }

  fileprivate init(_ driver: any GraphDriver, _ held: consuming HeldLock) {
    self.driver = driver
    lock = LockHold(held)
  }

  /// Tells all other processes that the store is shut down.
  func announceShutdown() throws(StorageError) { try lock?.recordWrite() }

  /// Gives the lock up; a second time does nothing.
  func release() { lock?.release() }
}
