// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// The one way in under the locks.
extension Store {
  /// Runs `body` with parts of the store locked against changes, by other processes too.
  ///
  /// ```swift
  /// let used = try store.read([.layers, .images]) { access in
  ///   access.listImages().filter { $0.record.layer.flatMap { access.layer($0.rawValue) } != nil }
  /// }
  /// ```
  ///
  /// The locks are taken in the order layers, images, containers, and given up in the opposite one. Records that need repair
  /// are repaired first. Inside, only parts that come later in this order may be locked by another access.
  ///
  /// - Throws: what `body` throws; `busy` after the time limit; `corrupt` if record files cannot be read; `system`.
  public func read<R>(
    _ parts: StoreParts, _ body: (borrowing StoreReading) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    try LockTaking(self).read(parts, body)
  }

  /// Runs `body` with parts of the store locked for changes, and others against changes. See ``read(_:_:)``.
  ///
  /// Each change is on disk when the call that makes it returns. After a failure of `body` what was saved stays. Files that
  /// are removed are deleted when all locks are released.
  ///
  /// - Throws: as ``read(_:_:)``; `readOnlyStore` if the graph root or the image store cannot be changed.
  public func write<R>(
    _ parts: StoreParts, reading others: StoreParts = [],
    _ body: (borrowing StoreWriting) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    try LockTaking(self).write(parts, reading: others, body)
  }

  /// The same for what gives space back: on a full file system the reserve is given up for it. Records that cannot be read are
  /// told as losses, with the way out.
  func free<R>(
    _ parts: StoreParts, reading others: StoreParts = [],
    _ body: (borrowing StoreWriting) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    try explainingLosses { () throws(StorageError) in
      try LockTaking(self).write(parts, reading: others, freesSpace: true, body)
    }
  }

  /// Runs what needs all records, and tells a record file that cannot be read as a loss, with the way out.
  func explainingLosses<R>(_ body: () throws(StorageError) -> R) throws(StorageError) -> R {
    do throws(StorageError) { return try body() } catch {
      if error.code == .corrupt { try topology.refuseLosses(try drivers.current()) }
      throw error
    }
  }
}
