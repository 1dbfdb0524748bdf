// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Another graph root as its registration describes it.
struct ForeignRoot {
  enum State {
    /// On another machine, or on a file system that is not mounted.
    case unknown
    /// Deleted, or another one by now.
    case gone
    /// Here.
    case readable
  }

  /// As it is registered; empty if it is not.
  let path: String
  private let graph: FilePath
  private let run: FilePath
  private let driver: String
  let state: State

  /// The graph root with this identifier; `nil` if that is the one which is opened.
  init?(_ id: String, _ topology: StoreTopology) {
    if (try? Identity.read(topology.layers.data.identity)) == id { return nil }
    var state = State.gone
    for data in topology.layers.dataSearch {
      do throws(StorageError) {
        guard let registration = try DependentsDirectory(data: data).registration(id) else { continue }
        self.init(registration, driver: topology.driverName, machine: Identity.machine())
        return
      } catch {
        state = .unknown
      }
    }
    self.init(driver: topology.driverName, state)
  }

  /// One that is not registered, or how is unknown.
  private init(driver: String, _ state: State) {
    (path, graph, run) = ("", "", "")
    self.driver = driver
    self.state = state
  }

  init(_ registration: Registration, driver: String, machine: String) {
    path = registration.graphRoot
    graph = FilePath(registration.graphRoot)
    run = FilePath(registration.runRoot)
    self.driver = driver
    if machine.isEmpty || registration.machine != machine {
      state = .unknown
      return
    }
    let isMounted = Identity.mountPoint(of: FilePath(registration.mountPoint)) == FilePath(registration.mountPoint)
    do throws(StorageError) {
      let id = try Identity.read(LayerDirectory(graph, driver: driver).identity)
      if id == registration.id { state = .readable } else { state = isMounted ? .gone : .unknown }
    } catch {
      state = .unknown
    }
  }

  /// What its record files say; `nil` if those of its layers cannot be read.
  func records() -> ForeignRecords? {
    var layers: [LayerRecord] = []
    var records = ForeignRecords()
    let places = [graph, run].map { root in
      (layers: LayerDirectory(root, driver: driver), containers: ContainerDirectory(root, driver: driver))
    }
    for (index, place) in places.enumerated() {
      // Stable records are in the graph root only.
      for path in (index == 0 ? [place.layers.records] : []) + [place.layers.volatileRecords] {
        guard let found: [LayerRecord] = read(path) else { return nil }
        layers += found
      }
      for path in [place.containers.records, place.containers.volatileRecords] {
        records.containers += read(path) ?? []
      }
    }
    let images: [ImageRecord] = read(ImageDirectory(graph, driver: driver).records) ?? []
    records.images = Set(images.map(\.id))
    records.recorded = Set(layers.map(\.id))
    // Its next opener deletes those that are incomplete: what is built on them needs the layers of that name here.
    let own = Set(layers.lazy.filter { !$0.isDoomed }.map(\.id))
    for layer in layers {
      if let parent = layer.parent, !own.contains(parent) {
        records.dependents.append(Dependent(child: layer.id, parent: parent))
      }
    }
    return records
  }

  /// Whether any of these layers is mounted there, as its counts say. A graph root that cannot be looked at is believed.
  func hasMounted(_ layers: [LayerID]) -> Bool {
    if state != .readable { return state == .unknown }
    var ledger = MountLedger(LayerDirectory(run, driver: driver).mounts)
    guard (try? ledger.load { LayerID(recorded: $0) }) != nil else { return true }
    return layers.contains { ledger[$0] != nil }
  }

  /// Nil if the file is there and cannot be read: callers take that for the worse case.
  private func read<Record: StoreRecord>(_ path: FilePath) -> [Record]? {
    var file = RecordFile<Record>(path, isFlushed: false)
    return (try? file.load()) == nil ? nil : file.document.records
  }
}

/// The records of another graph root.
struct ForeignRecords {
  /// All its layers.
  var recorded: Set<LayerID> = []
  /// Its layers over layers that it does not have, or not whole.
  var dependents: [Dependent] = []
  /// Its containers; as many as can be read.
  var containers: [ContainerRecord] = []
  /// Its own images.
  var images: Set<ImageID> = []
}
