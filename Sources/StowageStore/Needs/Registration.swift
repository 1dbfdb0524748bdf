// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import SystemPackage

/// A layer of a graph root whose parent is in the image store.
struct Dependent: Hashable, Sendable {
  /// The layer in the graph root.
  let child: LayerID
  /// Its parent in the image store.
  let parent: LayerID
}

/// What a graph root tells everybody who shares its image store: where it is, and which layers it needs.
///
/// A file in the image store, see `docs/formats/dependents.md`; source: store-semantics 27.3.2. The reference ignores it.
struct Registration: Hashable, Sendable {
  /// The graph root's own random identifier, which is kept in the graph root: a path may be used again.
  let id: String
  /// The graph root, absolute.
  let graphRoot: String
  /// The run root, which has volatile records in transient mode.
  let runRoot: String
  /// The mount point of the graph root's file system: if that is not mounted, a missing graph root proves nothing.
  let mountPoint: String
  /// The machine (machine-id(5)) on which the paths are valid; empty if it has no identifier.
  let machine: String
  /// When the graph root was registered first, as text; empty if that was by a version that did not write it down.
  var since = ""
  /// The needed layers, ordered by child.
  var dependents: [Dependent]

  /// Whether the file system that had the graph root is there.
  var isMounted: Bool { Identity.mountPoint(of: FilePath(mountPoint)) == FilePath(mountPoint) }

  /// The file's content.
  func encoded() -> [UInt8] {
    var writer = JSONWriter(.recordFile)
    writer.beginObject()
    writer.name("version")
    writer.integer(1)
    let texts = [
      ("id", id), ("graph-root", graphRoot), ("run-root", runRoot), ("mount-point", mountPoint),
      ("machine-id", machine),
    ]
    for (name, text) in texts + (since.isEmpty ? [] : [("since", since)]) {
      writer.name(name)
      writer.string(text)
    }
    writer.name("dependents")
    writer.beginArray()
    for dependent in dependents {
      writer.beginObject()
      writer.name("child")
      writer.string(dependent.child.rawValue)
      writer.name("parent")
      writer.string(dependent.parent.rawValue)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  /// Reads a file's content; `nil` if it is no registration that can be understood.
  init?(_ bytes: [UInt8]) {
    guard let value = Registration.parse(bytes), value["version"]?.integer == 1, let id = value["id"]?.string,
      let graphRoot = value["graph-root"]?.string, let runRoot = value["run-root"]?.string,
      let mountPoint = value["mount-point"]?.string, let machine = value["machine-id"]?.string,
      let entries = value["dependents"]?.array
    else { return nil }
    var dependents: [Dependent] = []
    for entry in entries {
      guard let child = entry["child"]?.string.flatMap({ LayerID(recorded: $0) }),
        let parent = entry["parent"]?.string.flatMap({ LayerID(recorded: $0) })
      else { return nil }
      dependents.append(Dependent(child: child, parent: parent))
    }
    self.init(
      id: id, graphRoot: graphRoot, runRoot: runRoot, mountPoint: mountPoint, machine: machine, dependents: dependents)
    since = value["since"]?.string ?? ""
  }

  /// The registration of a graph root that is opened.
  init(_ id: String, of roots: StoreRoots, since: String, dependents: [Dependent]) {
    self.init(
      id: id, graphRoot: roots.graphRoot.string, runRoot: roots.runRoot.string,
      mountPoint: Identity.mountPoint(of: roots.graphRoot).string, machine: Identity.machine(), dependents: dependents)
    self.since = since
  }

  init(id: String, graphRoot: String, runRoot: String, mountPoint: String, machine: String, dependents: [Dependent]) {
    self.id = id
    self.graphRoot = graphRoot
    self.runRoot = runRoot
    self.mountPoint = mountPoint
    self.machine = machine
    self.dependents = dependents
  }

  private static func parse(_ bytes: [UInt8]) -> JSONValue? {
    bytes.withUnsafeBufferPointer { buffer in
      var reader = JSONReader(buffer)
      // What cannot be parsed is no registration, which the caller tells.
      guard let value = try? reader.readValue(), reader.isAtEnd() else { return nil }
      return value
    }
  }
}
