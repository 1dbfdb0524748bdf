// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Containers") struct ContainerTests {
  private func prepared(_ driver: String = "vfs") throws -> (TestStore, Store) {
    let test = try TestStore(driver)
    let store = try test.open()
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(try test.tar(["file": "text"]).string))
    _ = try store.images.create(ImageCreation(id: "i1", names: ["img:1"], layer: "base"))
    return (test, store)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `A container has a layer of its own, complete and without marks`(driver: String) throws {
    let (test, store) = try prepared(driver)
    defer { withExtendedLifetime(test) {} }
    let item = BigDataItem(key: "k", bytes: [1, 2])
    let container = try store.containers.create(
      ContainerCreation(id: "c1", names: ["cname"], image: "img:1", bigData: [item]))
    #expect(container.image?.rawValue == "i1")
    #expect(container.flags["MountLabel"] == .string(""))
    #expect(container.flags["ProcessLabel"] == .string(""))
    let layer = try store.layers.find(container.layer.rawValue).record
    #expect(layer.parent?.rawValue == "base")
    #expect(layer.flags.isEmpty)
    #expect(try store.containers.find(container.layer.rawValue).id == container.id)
    #expect(try store.containers.bigData("k", of: "cname") == [1, 2])
    #expect(try test.open().containers.find("c1") == container)
    #expect(
      message { try store.layers.delete(container.layer.rawValue) }
        == "layer \(container.layer) used by container c1: layer is in use by a container")
    #expect(message { try store.images.delete("i1") } == "image used by c1: image is in use by a container")
    #expect(code { _ = try store.layers.create(LayerCreation(parent: container.layer.rawValue)) } == .parentIsContainer)
    try store.containers.delete("cname")
    #expect(code { try store.containers.delete("cname") } == .notAContainer)
    #expect(try store.layers.list().map(\.id.rawValue) == ["base"])
    #expect(
      try test.graph.appending("\(driver)-containers").names().sorted() == ["containers.json", "containers.lock"])
  }

  @Test func `Who made a container is told by its metadata and its files`() throws {
    let (test, store) = try prepared()
    defer { withExtendedLifetime(test) {} }
    func owner(_ metadata: String, files: [String] = []) throws -> ContainerOwner? {
      let container = try store.containers.create(ContainerCreation(image: "i1", metadata: metadata))
      if !files.isEmpty {
        let directory = FilePath(try store.containers.directory(of: container.id.rawValue))
        for file in files { try directory.appending(file).write("{}") }
      }
      return store.containers.owner(of: container)
    }
    // As Podman 4.3.1 and Buildah 1.28.2 leave them.
    #expect(
      try owner(#"{"image-name":"localhost/a:1","image-id":"i1","name":"web","created-at":1795944418}"#) == .podman)
    #expect(try owner("", files: ["buildah.json"]) == .buildah)
    #expect(try owner(#"{"pod-name":"p","pod-id":"1","image-name":"a","name":"k8s_a_p"}"#) == .crio)
    for metadata in ["", "{", "[]", "7", #"{"name":"x"}"#] {
      #expect(try owner(metadata, files: ["config.json"]) == nil)
    }
  }

  @Test func `A name or identifier that is taken costs no layer`() throws {
    let (test, store) = try prepared()
    defer { withExtendedLifetime(test) {} }
    _ = try store.containers.create(ContainerCreation(id: "c1", names: ["cname"], image: "i1"))
    #expect(
      message { _ = try store.containers.create(ContainerCreation(id: "c1", image: "i1")) }
        == "that ID is already in use")
    #expect(
      message { _ = try store.containers.create(ContainerCreation(names: ["cname"], image: "i1")) }
        == "the container name \"cname\" is already in use by c1. You have to remove that container to be able to reuse "
        + "that name: that name is already in use")
    #expect(
      message { _ = try store.containers.create(ContainerCreation(image: "nope")) }
        == "locating image with ID \"nope\": image not known")
    #expect(
      message {
        let maps = IDMaps(
          uids: [
            IDMapping(containerID: 0, hostID: 100, size: 10), IDMapping(containerID: 5, hostID: 500, size: 10),
          ], gids: [])
        _ = try store.containers.create(ContainerCreation(image: "i1", idMaps: IDMapRequest(maps: maps)))
      }
        == "the specified UID and/or GID mapping 5:500:10 conflicts with other mappings: invalid mappings specified")
    #expect(try store.layers.list().count == 2)
  }

  @Test func `Volatile containers and their layers are recorded in the volatile files`() throws {
    let (test, store) = try prepared()
    defer { withExtendedLifetime(test) {} }
    let container = try store.containers.create(ContainerCreation(id: "c1", image: "i1", isVolatile: true))
    #expect(container.flags["Volatile"] == .bool(true))
    #expect(try test.json("containers/volatile-containers.json").contains("\"id\":\"c1\""))
    #expect(try test.json("layers/volatile-layers.json").contains(container.layer.rawValue))
    #expect(!test.graph.appending("vfs-containers/containers.json").exists)
  }

  @Test func `A transient store keeps containers in the run root`() throws {
    let (test, _) = try prepared()
    defer { withExtendedLifetime(test) {} }
    let store = try test.open { $0.transientStore = true }
    _ = try store.containers.create(ContainerCreation(id: "c1", image: "i1"))
    #expect(test.run.appending("vfs-containers/volatile-containers.json").exists)
    #expect(test.run.appending("vfs-containers/containers.lock").exists)
    #expect(test.run.appending("vfs-layers/volatile-layers.json").exists)
    #expect(try store.containers.list().count == 1)
    #expect(try test.open().containers.list().isEmpty)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Mounts are counted, and unmounting ends them`(driver: String) throws {
    let (test, store) = try prepared(driver)
    defer { withExtendedLifetime(test) {} }
    let container = try store.containers.create(ContainerCreation(id: "c1", image: "i1"))
    let path = try store.mount("c1")
    #expect(try FilePath(path).appending("file").readText() == "text")
    #expect(try store.mount("c1") == path)
    #expect(try store.mountCount(of: "c1") == 2)
    #expect(
      try test.run.appending("\(driver)-layers/mountpoints.json").readText()
        == "[{\"id\":\"\(container.layer)\",\"path\":\"\(path)\",\"count\":2}]")
    #expect(code { _ = try test.open().shutdown(force: false) } == .layerUsedByContainer)
    #expect(try test.open().unmount("c1"))
    #expect(try !store.unmount(path))
    #expect(try !store.unmount("c1"))
    #expect(try test.run.appending("\(driver)-layers/mountpoints.json").readText() == "[]")
    #expect(MountTable.mounts(below: test.graph.appending("\(driver)/\(container.layer)")).isEmpty)
    let text = try store.withMounted("c1") { path in try FilePath(path).appending("file").readText() }
    #expect(text == "text")
    #expect(try store.mountCount(of: "c1") == 0)
    #expect(code { _ = try store.mount("nobody") } == .layerUnknown)
    _ = try store.shutdown(force: false)
    #expect(try store.layers.list().count == 2)
  }

  @Test(.tags(.root), .enabled(if: isRoot, "mounts"))
  func `A layer is mounted by name, and a count that outlived its mount starts again at 1`() throws {
    let test = try TestStore("overlay")
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "base", names: ["name"], isWritable: true))
    let path = try store.mount("name")
    _ = try store.mount("bas")
    #expect(try store.mountCount(of: "name") == 2)
    try Syscall.umount(FilePath(path), flags: .detach)
    #expect(try store.mount("name") == path)
    #expect(try store.mountCount(of: "name") == 1)
    #expect(try !store.unmount("name"))
    #expect(!MountTable.isMountPoint(FilePath(path)))
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `An image is mounted read-only`(driver: String) throws {
    let (test, store) = try prepared(driver)
    defer { withExtendedLifetime(test) {} }
    let path = try store.mountImage("img:1")
    #expect(try FilePath(path).appending("file").readText() == "text")
    if driver == "overlay" { #expect(throws: Errno.self) { try FilePath(path).appending("new").write("x") } }
    #expect(message { _ = try store.mountImage("i1", options: ["rw"]) } == " \"rw\" option not supported")
    #expect(try !store.unmountImage("i1"))
    try store.wipe()
    #expect(try store.layers.list().isEmpty)
  }
}
