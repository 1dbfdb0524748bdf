// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import SystemPackage

extension LayersWriting {
  /// After a deletion by force: graph roots that could not be asked do not need what is gone. A registration that has nothing
  /// else ends. A failure is logged: the deletion is done.
  ///
  /// - Parameter deleted: the layers; `nil`: all of the store.
  func endNeeds(of deleted: Set<LayerID>?) {
    let (topology, machine) = (store.topology, Identity.machine())
    do throws(StorageError) {
      let own = try Identity.read(topology.layers.data.identity)
      for data in topology.layers.dataSearch {
        let directory = DependentsDirectory(data: data)
        for registration in try directory.registrations(except: own) {
          let root = ForeignRoot(registration, driver: topology.driverName, machine: machine)
          guard case .away = root.state else { continue }
          var rest = registration
          rest.dependents.removeAll { deleted?.contains($0.parent) ?? true }
          if rest.dependents.isEmpty, deleted == nil || rest != registration {
            Log.warning("the registration of graph root \(registration.graphRoot), which needs nothing any more, ends")
            try directory.withdraw(registration.id)
          } else if rest != registration {
            try directory.publish(rest)
          }
        }
      }
    } catch {
      Log.warning("cannot end what other graph roots needed: \(error)")
    }
  }
}
