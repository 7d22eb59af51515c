<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- sample.xsl: makes the sample configuration from the manual of the directives. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="text" encoding="UTF-8"/>

  <xsl:template match="modulesynopsis">
    <xsl:apply-templates select="sample | group"/>
  </xsl:template>

  <xsl:template match="group">
    <xsl:value-of select="concat('&#10;# --- ', title, '&#10;')"/>
    <xsl:apply-templates select="directivesynopsis | sample"/>
  </xsl:template>

  <xsl:template match="sample">
    <xsl:if test="preceding::sample">
      <xsl:text>&#10;</xsl:text>
    </xsl:if>
    <xsl:value-of select="substring-after(., '&#10;')"/>
  </xsl:template>

  <!-- A comment of a line or two, and the lines that set the directive. -->
  <xsl:template match="directivesynopsis">
    <xsl:value-of select="concat('&#10;# ', normalize-space(description), '&#10;')"/>
    <xsl:variable name="places">
      <xsl:apply-templates select="bounds"/>
      <xsl:apply-templates select="contextlist"/>
    </xsl:variable>
    <xsl:if test="$places != ''">
      <xsl:value-of select="concat('#', $places, '&#10;')"/>
    </xsl:if>
    <xsl:call-template name="lines">
      <xsl:with-param name="text" select="string((default | example)[1])"/>
      <xsl:with-param name="mark" select="substring('#', 1, not(@required or @sample))"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="bounds">
    <xsl:value-of select="concat(' From ', @least, ' to ', @most, '.')"/>
  </xsl:template>

  <xsl:template match="contextlist">
    <xsl:choose>
      <xsl:when test="not(context = 'server config')"> Only in &lt;Location&gt;.</xsl:when>
      <xsl:when test="context = 'directory'"> Also in &lt;Location&gt;.</xsl:when>
      <xsl:when test="context = 'SMS gateway'"> Also in &lt;EsignSMSGateway&gt;.</xsl:when>
    </xsl:choose>
  </xsl:template>

  <!-- The lines of an example, each with the mark; not the empty first and last one. -->
  <xsl:template name="lines">
    <xsl:param name="text"/>
    <xsl:param name="mark"/>
    <xsl:variable name="line" select="substring-before(concat($text, '&#10;'), '&#10;')"/>
    <xsl:if test="$line != ''">
      <xsl:value-of select="concat($mark, $line, '&#10;')"/>
    </xsl:if>
    <xsl:if test="contains($text, '&#10;')">
      <xsl:call-template name="lines">
        <xsl:with-param name="text" select="substring-after($text, '&#10;')"/>
        <xsl:with-param name="mark" select="$mark"/>
      </xsl:call-template>
    </xsl:if>
  </xsl:template>
</xsl:stylesheet>
