// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// `create-container --dry-run`: what it says is what the command does then.
@Suite("Plans of containers") struct ContainerPlanTests {
  private let maps = ["--uidmap", "0:100000:10", "--gidmap", "0:100000:10"]

  private func makeStore(_ driver: String) throws -> CommandStore {
    let store = try CommandStore(driver)
    try store("create-layer", "--id", "l1")
    try store("create-image", "--id", "i1", "-n", "img:1", "l1")
    return store
  }

  /// Every file of the store with its times and size. Probes of the kernel, once for a boot, come and go in `tempdirs`.
  private func state(_ store: CommandStore) throws -> String {
    let list = try shell(
      "find g -printf '%p %y %s %T@ %C@\\n' | sed 's/\\(tempdirs d\\) .*/\\1/' | sort", directory: store.directory.path)
    try #require(list.isSuccess, "\(list)")
    return list.outputText
  }

  private func layer(of container: String, _ store: CommandStore) throws -> String {
    let lines = try store("container", container).outputText.split(separator: "\n")
    return String(try #require(lines.first { $0.hasPrefix("Layer: ") }).dropFirst("Layer: ".count))
  }

  private func images(_ store: CommandStore) throws -> String {
    try store.directory.appending("g/\(store.driver)-images/images.json").readText()
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `The plan names image, layer and mount as they are afterwards, and changes nothing`(driver: String) throws {
    let store = try makeStore(driver)
    let before = try state(store)
    let plan = try store("create-container", "--dry-run", "--id", "c1", "-n", "nm", "img:1")
    let json = try store("create-container", "--dry-run", "-j", "--id", "c1", "-n", "nm", "img:1")
    #expect(try state(store) == before)
    #expect(plan.isSuccess && plan.errorText.isEmpty, "\(plan)")
    #expect(try store("create-container", "--id", "c1", "-n", "nm", "img:1").isSuccess)
    let layer = try layer(of: "c1", store)
    #expect(try store("layer", layer).outputText.contains("\nParent: l1\n"))
    let mount = try store("mount", "--dry-run", "c1").outputText.replacing(layer, with: "NEW-LAYER")
    let begins = driver == "vfs" ? "that begins as a copy of" : "on"
    #expect(plan.outputText == "container c1 of image i1\n  make a layer \(begins) layer l1\n" + mount)
    #expect(driver == "vfs" || mount.contains("\n  mount overlay on "))
    let parts = [
      "\"id\":\"c1\",\"image\":\"i1\",\"layer\":\"l1\",\"mapped-copy\":false,", "\"names\":[\"nm\"],",
      "\"steps\":[\"make a layer \(begins) layer l1\"]", "\"mountpoint\":\"\(mount.prefix { $0 != "\n" })\",",
    ]
    for part in parts { #expect(json.outputText.contains(part), "\(json)") }
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `The plan of a container without image and identifier says so`(driver: String) throws {
    let store = try makeStore(driver)
    let plan = try store("create-container", "--dry-run", "").outputText
    #expect(
      plan.hasPrefix("container with a random ID of no image\n  make an empty layer\n\(store.graphRoot)/"), "\(plan)")
    let json = try store("create-container", "--dry-run", "-j", "").outputText
    #expect(json.hasPrefix("{\"image\":\"\",\"layer\":\"\",\"mapped-copy\":false,"), "\(json)")
    #expect(try store("containers", "-j").shows("[]\n"))
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `A copy for ID maps is planned exactly when it is made`(driver: String) throws {
    let store = try makeStore(driver)
    // Overlay would shift the owners when mounting.
    let noShift = ["_CONTAINERS_OVERLAY_DISABLE_IDMAP": "yes"]
    let command = ["create-container", "--id", "c1"] + maps
    let begins = driver == "vfs" ? "that begins as a copy of" : "on"
    let plan = try store.run(command + ["--dry-run", "i1"], adding: noShift).outputText
    #expect(
      plan.hasPrefix(
        "container c1 of image i1\n  copy layer l1 with the owners of the ID maps, and list the copy with image i1\n"
          + "  make a layer \(begins) that copy\n"), "\(plan)")
    if driver == "overlay" { #expect(plan.hasSuffix("\nthe mount depends on a copy still to be made\n"), "\(plan)") }
    let json = try store.run(command + ["--dry-run", "-j", "i1"], adding: noShift).outputText
    #expect(json.contains("\"mapped-copy\":true"), "\(json)")
    #expect(try !images(store).contains("mapped-layers"))
    #expect(try store.run(command + ["i1"], adding: noShift).isSuccess)
    #expect(try images(store).contains("mapped-layers"))
    // The copy is there now.
    let second = try store.run(["create-container", "--dry-run", "-j"] + maps + ["i1"], adding: noShift).outputText
    #expect(second.contains("\"mapped-copy\":false"), "\(second)")
  }

  @Test func `A plan fails as the making would`() throws {
    let store = try makeStore("vfs")
    try store("create-container", "--id", "c1", "-n", "nm", "i1")
    let before = try state(store)
    for words in [
      ["nope"], ["--id", "c1", "i1"], ["-n", "nm", "i1"], ["--uidmap", "0:0:5", "--uidmap", "3:9:5", "i1"],
    ] {
      let plan = try store.run(["create-container", "--dry-run"] + words)
      #expect(plan.status == .exited(1))
      #expect(try store.run(["create-container"] + words) == plan)
    }
    #expect(try state(store) == before)
  }
}
