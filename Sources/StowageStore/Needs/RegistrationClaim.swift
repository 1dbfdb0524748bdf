// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import SystemPackage

/// What the registration that has a graph root's identifier is to that graph root. One that was moved has the identifier that
/// it had; so has a copy, whose original needs its registration as before.
enum RegistrationClaim {
  /// Its own: it is where it was, or was moved here.
  case own
  /// That of the graph root that this one is a copy of, and which is there.
  case another
  /// Perhaps that of another one, which cannot be looked at. It may be added to; nothing may be taken away.
  case unclear

  /// Looks at the place that is registered.
  init(_ registration: Registration, of graphRoot: FilePath, driver: String) {
    let registered = FilePath(registration.graphRoot)
    if registration.machine != Identity.machine() {
      self = .unclear
    } else if isSamePlace(registered, graphRoot) {
      self = .own
    } else {
      do throws(StorageError) {
        if try Identity.read(LayerDirectory(registered, driver: driver).identity) == registration.id {
          self = .another
        } else {
          self = registration.isMounted ? .own : .unclear
        }
      } catch {
        self = .unclear
      }
    }
  }
}
