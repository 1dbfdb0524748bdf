// SPDX-License-Identifier: Apache-2.0

/// One of the directories a store is made of, as `stowage stores` shows it.
public struct StorePlace: Sendable {
  /// What a place is for.
  public enum Role: String, Sendable {
    /// Containers, their layers, and, without an image store, everything.
    case graphRoot = "graph-root"
    /// Images and their layers.
    case imageStore = "image-store"
    /// Images and layers of somebody else, only read.
    case additionalStore = "additional-store"
    /// Mounts and what else need not survive a reboot.
    case runRoot = "run-root"
  }

  /// A lock file of the place.
  public struct Lock: Sendable {
    /// The file.
    public let path: String
    /// The processes that hold it now, this one not among them; only those that may be looked at.
    public let holders: [Holder]
  }

  /// A process that holds a lock.
  public struct Holder: Sendable {
    /// Its number.
    public let pid: Int32
    /// The short name of its program.
    public let command: String
    /// Whether it excludes readers.
    public let isExclusive: Bool
  }

  /// Another graph root that is built on this place's layers.
  public struct Dependent: Sendable {
    /// Its path.
    public let graphRoot: String
    /// How many of its layers have their parent here.
    public let layers: Int
    /// Why it cannot be asked, so that its registration is believed: `is not there`; `nil` if it was asked.
    public let absence: String?
  }

  /// What it is for.
  public let role: Role
  /// The directory, absolute.
  public let path: String
  /// Whether it is there.
  public let exists: Bool
  /// Whether this store writes there.
  public let isWritable: Bool
  /// The kind of file system; empty if that is not known.
  public let fileSystem: String
  /// Bytes of the file system.
  public let totalBytes: UInt64
  /// Bytes that are free to use.
  public let freeBytes: UInt64
  /// Locks, in the order in which they are taken.
  public let locks: [Lock]
  /// Numbers of recorded layers, images and containers.
  public internal(set) var layers: Int, images: Int, containers: Int
  /// Record files of the place that are damaged or have lost records, a line for each. What they recorded is not counted.
  public internal(set) var losses: [String]
  /// Other graph roots that need layers of this place, sorted by path.
  public internal(set) var dependents: [Dependent]
}
