// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// A layer of another graph root that is built on a layer of this store.
struct ForeignUse: Hashable, Sendable {
  /// The other graph root.
  let graphRoot: String
  /// The layer there.
  let child: LayerID
  /// The container it belongs to, by name if it has one; `nil` if that is not known.
  let container: String?
  /// The image of that container.
  let image: ImageID?

  /// `container "web" of graph root /srv/b`.
  var user: String {
    let subject = container.map { "container \(goQuoted($0))" } ?? "layer \(child)"
    return "\(subject) of graph root \(graphRoot)"
  }
}

/// Which layers of a store other graph roots need.
///
/// While the layer locks of the store are held exclusively nobody can add or drop such a need: whoever makes or deletes a
/// layer over it holds them too. So the other graph root's records are read without its lock; each file is old or new.
struct ForeignUses: Sendable {
  private(set) var byParent: [LayerID: [ForeignUse]] = [:]
  /// All layers that graph roots record which can be read here. Versions before 1.57 kept the records of layers in the
  /// image store there.
  private(set) var recorded: Set<LayerID> = []

  /// Nobody else needs anything, or it is not to matter.
  init() {}

  /// Who needs a layer.
  subscript(layer: LayerID) -> [ForeignUse] { byParent[layer] ?? [] }

  /// A layer that somebody needs, the first by identifier, and who.
  var first: (layer: LayerID, use: ForeignUse)? {
    guard let (layer, uses) = byParent.min(by: { $0.key < $1.key }), let use = uses.first else { return nil }
    return (layer, use)
  }

  /// A container elsewhere that was made from an image: as its record says, or, if that is not known, because it is built
  /// on one of the image's top layers.
  func user(of images: [ImageRecord]) -> ForeignUse? {
    for image in images {
      for top in image.mappedLayers + (image.layer.map { [$0] } ?? []) {
        if let use = self[top].first(where: { $0.image == nil || $0.image == image.id }) { return use }
      }
    }
    return nil
  }

  /// Reads all registrations and looks into the graph roots that can be reached (store-semantics 27.3.2).
  ///
  /// A graph root that cannot be read is believed. A registration is stale, and removed, if its graph root is gone from
  /// a file system that is there, or is another one by now.
  ///
  /// - Throws: `corrupt` for a damaged registration; `system`.
  init(_ topology: StoreTopology, removesStale: Bool) throws(StorageError) {
    let own = try Identity.read(topology.layers.identity)
    let machine = Identity.machine()
    for data in topology.layers.dataSearch {
      let directory = DependentsDirectory(data: data)
      for registration in try directory.registrations(except: own) {
        let root = ForeignRoot(registration, driver: topology.driverName, machine: machine)
        switch root.state {
        case .unknown:
          for entry in registration.dependents { add(entry, registration, []) }
        case .gone:
          Log.debug("graph root \(registration.graphRoot) is gone: its registration is stale")
          if removesStale { try directory.withdraw(registration.id) }
        case .readable:
          guard let records = root.records() else {
            for entry in registration.dependents { add(entry, registration, []) }
            continue
          }
          for entry in records.dependents { add(entry, registration, records.containers) }
          recorded.formUnion(records.own)
        }
      }
    }
  }

  private mutating func add(_ entry: Dependent, _ registration: Registration, _ containers: [ContainerRecord]) {
    let container = containers.first { $0.layer == entry.child }
    let use = ForeignUse(
      graphRoot: registration.graphRoot, child: entry.child,
      container: container.map { $0.names.first ?? $0.id.rawValue }, image: container?.image)
    byParent[entry.parent, default: []].append(use)
  }
}

/// Another graph root as its registration describes it.
private struct ForeignRoot {
  enum State {
    /// On another machine, or on a file system that is not mounted.
    case unknown
    /// Deleted, or another one by now.
    case gone
    /// Here.
    case readable
  }

  private let graph: FilePath
  private let run: FilePath
  private let driver: String
  let state: State

  init(_ registration: Registration, driver: String, machine: String) {
    graph = FilePath(registration.graphRoot)
    run = FilePath(registration.runRoot)
    self.driver = driver
    if machine.isEmpty || registration.machine != machine {
      state = .unknown
      return
    }
    let isMounted = Identity.mountPoint(of: FilePath(registration.mountPoint)) == FilePath(registration.mountPoint)
    do throws(StorageError) {
      let id = try Identity.read(graph.appending("\(driver)-layers").appending(StoreTopology.identityName))
      if id == registration.id { state = .readable } else { state = isMounted ? .gone : .unknown }
    } catch {
      state = .unknown
    }
  }

  /// Its layers over layers that are not its own, and its containers; `nil` if its records cannot be read.
  func records() -> (own: Set<LayerID>, dependents: [Dependent], containers: [ContainerRecord])? {
    var layers: [LayerRecord] = []
    var containers: [ContainerRecord] = []
    for root in [graph, run] {
      let names = root == graph ? ["layers.json", "volatile-layers.json"] : ["volatile-layers.json"]
      for name in names {
        var file = RecordFile<LayerRecord>(root.appending("\(driver)-layers").appending(name), isFlushed: false)
        guard (try? file.load()) != nil else { return nil }
        layers += file.document.records
      }
      for name in ["containers.json", "volatile-containers.json"] {
        var file = RecordFile<ContainerRecord>(root.appending("\(driver)-containers").appending(name), isFlushed: false)
        if (try? file.load()) != nil { containers += file.document.records }
      }
    }
    let own = Set(layers.map(\.id))
    var dependents: [Dependent] = []
    for layer in layers {
      if let parent = layer.parent, !own.contains(parent) {
        dependents.append(Dependent(child: layer.id, parent: parent))
      }
    }
    return (own, dependents, containers)
  }
}
