<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- html.xsl: renders the manual's sources to HTML, a page each. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="html" encoding="UTF-8" indent="no" doctype-system="about:legacy-compat"/>
  <xsl:param name="version"/>

  <xsl:variable name="small" select="'abcdefghijklmnopqrstuvwxyz'"/>
  <xsl:variable name="large" select="'ABCDEFGHIJKLMNOPQRSTUVWXYZ'"/>

  <xsl:template match="/*">
    <html lang="en">
      <head>
        <title><xsl:value-of select="name"/></title>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <style>
:root { color-scheme: light dark; --quiet: #57606a; --line: #d0d7de; --paper: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --quiet: #9aa4ae; --line: #3b434b; --paper: #1c2126; } }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.25; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
h3 { margin-top: 2rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { background: var(--paper); border: 1px solid var(--line); padding: .6rem .8rem; overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { border: 1px solid var(--line); padding: .25rem .6rem; text-align: left; vertical-align: top; }
.facts th { font-weight: normal; color: var(--quiet); white-space: nowrap; }
nav ul { columns: 16rem; padding-left: 1.2rem; }
dt { margin-top: .5rem; }
footer { margin-top: 3rem; color: var(--quiet); }
        </style>
      </head>
      <body>
        <h1><xsl:value-of select="name"/></h1>
        <p><xsl:value-of select="description"/></p>
        <xsl:apply-templates select="synopsis"/>
        <xsl:apply-templates select="summary/*"/>
        <xsl:call-template name="contents"/>
        <xsl:apply-templates select="section | group"/>
        <footer>
          <p><xsl:value-of select="concat('mod_esign ', $version)"/></p>
        </footer>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="synopsis">
    <pre><xsl:apply-templates/></pre>
  </xsl:template>

  <xsl:template name="contents">
    <nav>
      <h2>Contents</h2>
      <ul>
        <xsl:for-each select="section | group">
          <li><a href="#{@id}"><xsl:value-of select="title"/></a></li>
        </xsl:for-each>
      </ul>
      <xsl:if test="group">
        <h3>Directives</h3>
        <ul>
          <xsl:for-each select="group/directivesynopsis">
            <xsl:sort select="name"/>
            <li><xsl:apply-templates select="name"/></li>
          </xsl:for-each>
        </ul>
      </xsl:if>
    </nav>
  </xsl:template>

  <xsl:template match="section | group">
    <section id="{@id}">
      <h2><xsl:value-of select="title"/></h2>
      <xsl:apply-templates select="summary/* | *[not(self::title or self::summary or self::sample)]"/>
    </section>
  </xsl:template>

  <xsl:template match="directivesynopsis">
    <section id="{translate(name, $large, $small)}">
      <h3><xsl:apply-templates select="name"/></h3>
      <p><xsl:value-of select="description"/></p>
      <table class="facts">
        <tr><th scope="row">Syntax</th><td><code><xsl:apply-templates select="syntax/node()"/></code></td></tr>
        <tr>
          <th scope="row">Default</th>
          <td>
            <xsl:choose>
              <xsl:when test="default"><code><xsl:value-of select="default"/></code></xsl:when>
              <xsl:when test="@required">none, required</xsl:when>
              <xsl:otherwise>none</xsl:otherwise>
            </xsl:choose>
          </td>
        </tr>
        <xsl:if test="bounds">
          <tr>
            <th scope="row">Bounds</th>
            <td><xsl:value-of select="concat(bounds/@least, ' to ', bounds/@most)"/></td>
          </tr>
        </xsl:if>
        <tr>
          <th scope="row">Context</th>
          <td>
            <xsl:for-each select="contextlist/context">
              <xsl:if test="position() &gt; 1">, </xsl:if>
              <xsl:value-of select="."/>
            </xsl:for-each>
          </td>
        </tr>
        <xsl:if test="override">
          <tr><th scope="row">Override</th><td><xsl:value-of select="override"/></td></tr>
        </xsl:if>
        <tr><th scope="row">Since</th><td>mod_esign <xsl:value-of select="compatibility"/></td></tr>
      </table>
      <xsl:apply-templates select="usage/* | example"/>
    </section>
  </xsl:template>

  <!-- Every name of a directive links to its place, on this page or on that of the directives. -->
  <xsl:template match="directivesynopsis/name | directive">
    <xsl:variable name="section" select="@type = 'section' or ../@type = 'section'"/>
    <xsl:variable name="page" select="substring('mod_esign.html', 1, 14 * boolean(/manualpage))"/>
    <a href="{$page}#{translate(., $large, $small)}">
      <code>
        <xsl:if test="$section">&lt;</xsl:if>
        <xsl:value-of select="."/>
        <xsl:if test="$section">&gt;</xsl:if>
      </code>
    </a>
  </xsl:template>

  <xsl:template match="example | pre">
    <pre><code><xsl:call-template name="trimmed"/></code></pre>
  </xsl:template>

  <!-- Preformatted text without the line ends at its two ends. -->
  <xsl:template name="trimmed">
    <xsl:choose>
      <xsl:when test="starts-with(., '&#10;')">
        <xsl:value-of select="substring(., 2, string-length(.) - 2)"/>
      </xsl:when>
      <xsl:otherwise>
        <xsl:value-of select="."/>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template match="p | dl | dt | dd | table | tr | th | td | code | var | em | strong">
    <xsl:copy>
      <xsl:apply-templates/>
    </xsl:copy>
  </xsl:template>
</xsl:stylesheet>
