// SPDX-License-Identifier: Apache-2.0

internal import SystemPackage

/// What follows from a graph root having another path than before; done, or to be done.
///
/// A graph root keeps no path of itself. What leads to it is its registration in an image store, the mount records of its run
/// root, and the configuration of others.
public struct RootRelocation: Sendable {
  /// What becomes of the registration in the image store.
  public enum Registration: Hashable, Sendable {
    /// There is none, and none is needed.
    case none
    /// There was none that could be read; it is made.
    case made
    /// It leads here.
    case kept
    /// It led to another path.
    case led(from: String)
    /// It stays with the graph root of that path, of which this one is a copy; this one gets its own.
    case separated(from: String)
  }

  /// Where the graph root is, or is to be, absolute.
  public internal(set) var graphRoot: String
  /// Where it is taken from; `nil` if it is not moved.
  public internal(set) var movedFrom: String?
  /// The image store; empty if there is none.
  public let imageStore: String
  /// What becomes of the registration there.
  public internal(set) var registration: Registration
  /// Paths of mounts that ended, whose records are dropped.
  public let endedMounts: [String]
  /// Graph roots that use this one as their image store: their configuration names it by its path.
  public let dependents: [String]
  /// Whether there is a database of Podman in the graph root: it has the graph root's old path.
  public let hasPodmanDatabase: Bool
}

extension RootRelocation {
  /// The same with the graph root moved.
  func moved(to target: FilePath) -> RootRelocation {
    var result = self
    (result.movedFrom, result.graphRoot) = (graphRoot, target.string)
    if registration == .kept { result.registration = .led(from: graphRoot) }
    return result
  }
}
