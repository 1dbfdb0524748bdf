// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Another graph root as its registration describes it.
struct ForeignRoot {
  /// What can be known of it.
  enum State: Hashable {
    /// It is where it is registered.
    case readable
    /// It is not: what is registered is believed.
    case away(Absence)
    /// No registration has its identifier.
    case unregistered
  }

  /// Why a graph root cannot be asked what it needs. Neither shows that it is gone: a path that is not there may have another
  /// name by now, and a directory that is gone may have been copied before.
  enum Absence: String, Sendable {
    case missing = "is not there"
    case onOtherMachine = "is on another machine"
    case notMounted = "is on a file system that is not mounted"
    case unreadable = "cannot be read"
  }

  /// As it is registered; empty if it is not.
  let path: String
  private let graph: FilePath
  private let run: FilePath
  private let driver: String
  let state: State

  /// The graph root with this identifier; `nil` if that is the one which is opened.
  init?(_ id: String, _ topology: StoreTopology) {
    var state = State.unregistered
    do throws(StorageError) {
      if try Identity.read(topology.layers.data.identity) == id { return nil }
    } catch {
      // It may be this one, or not.
      state = .away(.unreadable)
    }
    for data in topology.layers.dataSearch {
      do throws(StorageError) {
        guard let registration = try DependentsDirectory(data: data).registration(id) else { continue }
        self.init(registration, driver: topology.driverName, machine: Identity.machine())
        return
      } catch {
        state = .away(.unreadable)
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
      state = .away(.onOtherMachine)
      return
    }
    do throws(StorageError) {
      let id = try Identity.read(LayerDirectory(graph, driver: driver).identity)
      state = id == registration.id ? .readable : .away(registration.isMounted ? .missing : .notMounted)
    } catch {
      state = .away(.unreadable)
    }
  }

  /// What its record files say; `nil` if those of its layers cannot be read.
  func records() -> RootRecords? { RootRecords(graph, run, driver: driver) }

  /// Whether any of these layers is mounted there, as its counts say. A graph root that cannot be looked at is believed.
  func hasMounted(_ layers: [LayerID]) -> Bool {
    switch state {
    case .unregistered: return false
    case .away: return true
    case .readable: break
    }
    var ledger = MountLedger(LayerDirectory(run, driver: driver).mounts)
    // Counts that cannot be read are believed to be there.
    guard (try? ledger.load(isOwn: false) { LayerID(recorded: $0) }) != nil else { return true }
    return layers.contains { ledger[$0] != nil }
  }
}
